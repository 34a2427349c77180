"""The page of timings, for lessons of which we know how long they took."""

import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

EXTENSIONS = Path(__file__).parent.parent.parent / "docs" / "extensions"


def lesson(folder, name, title, **metadata):
    cells = [new_markdown_cell(f"# {title}"), new_code_cell("import numpy"), new_markdown_cell("## Train\n\nNow.")]
    cells += [new_code_cell("fit()"), new_code_cell("look()"), new_markdown_cell("No heading."), new_code_cell("end()")]
    nbformat.write(new_notebook(cells=cells, metadata=metadata), folder / name)


def test_the_slowest_cell_has_the_heading_above_it_and_what_was_not_measured_is_named(tmp_path):
    timings = {"cpu": "A Fast One @ 3.00GHz", "cores": 2, "seconds": [1.25, 3.0, 80.5, 0.5]}
    lesson(tmp_path, "01_one.ipynb", "The first", timings=timings)
    lesson(tmp_path, "02_two.ipynb", "The second")
    (tmp_path / "index.md").write_text("# Timings\n\n```{timings} *.ipynb\n```\n")
    options = ["-C", "-q", "-D", "extensions=myst_nb,timings", "-D", "nb_execution_mode=off", "-D", "html_theme=basic"]
    command = [sys.executable, "-m", "sphinx", *options, tmp_path, tmp_path / "site"]
    subprocess.run(command, env={"PYTHONPATH": str(EXTENSIONS)}, check=True, capture_output=True)
    html = (tmp_path / "site" / "index.html").read_text()
    table, below = unescape(html).split("<table")[1].split("</table>")
    rows = [
        [re.sub("<.+?>", "", cell).strip() for cell in re.findall(r"<td.*?>(.*?)</td>", row, re.DOTALL)]
        for row in table.split("<tr")[2:]
    ]
    assert rows == [["01", "The first", "85", "80 s, Train"], ["02", "The second", "–", "–"]]
    assert 'href="01_one.html"' in table
    assert "Measured on: A Fast One @ 3.00GHz, 2 cores." in below
    assert "Not yet measured: 02." in below
