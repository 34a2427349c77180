"""The directive ``timings``: how long each lesson takes, from what ``course build`` noted when it executed them."""

from pathlib import Path

import nbformat
from sphinx.util.docutils import SphinxDirective

NOT_MEASURED = "Not yet measured: {numbers}. `course build --force` does."


class Timings(SphinxDirective):
    """A table with a row for each notebook that the argument, a glob from the source folder, finds."""

    required_arguments = 1

    def run(self):
        lessons = sorted(Path(self.env.srcdir).glob(self.arguments[0]))
        for lesson in lessons:
            self.env.note_dependency(lesson)
        notebooks = {lesson: nbformat.read(lesson, as_version=4) for lesson in lessons}
        machines = {machine(notebook) for notebook in notebooks.values()} - {None}
        below = [f"Measured on: {each}." for each in sorted(machines)]
        if missing := [lesson.name[:2] for lesson, notebook in notebooks.items() if "timings" not in notebook.metadata]:
            below.append(NOT_MEASURED.format(numbers=", ".join(missing)))
        rows = ["| | lesson | seconds | slowest cell |", "|---|---|--:|---|"]
        rows += [row(f"/{lesson.relative_to(self.env.srcdir)}", notebook) for lesson, notebook in notebooks.items()]
        return self.parse_text_to_nodes("\n".join([*rows, "", *below]))


def machine(notebook):
    """Name and cores of the processor that executed the notebook; None if that was not noted."""
    timings = notebook.metadata.get("timings")
    return timings and f"{timings.cpu}, {timings.cores} cores"


def row(lesson, notebook):
    """Number, title with link, seconds of all cells, and the slowest of them by the heading that it stands under."""
    code, heading = [], ""  # the heading above each code cell
    for cell in notebook.cells:
        if cell.cell_type == "code":
            code.append(heading)
        else:
            heading = next((line for line in reversed(cell.source.splitlines()) if line.startswith("#")), heading)
    title = notebook.cells[0].source.splitlines()[0]
    timings = notebook.metadata.get("timings")
    total, slowest = "–", "–"
    if timings:
        most, under = max(zip(timings.seconds, code, strict=True))
        total, slowest = f"{sum(timings.seconds):.0f}", f"{most:.0f} s, {under.lstrip('# ')}"
    return f"| {Path(lesson).name[:2]} | [{title.lstrip('# ')}]({lesson}) | {total} | {slowest} |"


def setup(app):
    app.add_directive("timings", Timings)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
