"""What the README says of the chapters is what is there."""

import re
from pathlib import Path

import pytest

from course_lib.classroom import exercises

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
ROW = re.compile(r"^\| (\d\d) \| \[(.+?)\]\((.+?)\) \| .+ \| \[(\d+)\]\((.+?)\) \| (\d+) \|$", re.MULTILINE)
ROWS = ROW.findall(README)


def test_every_chapter_has_its_row():
    assert (
        [row[0] for row in ROWS] == exercises.chapters() == [p.name[:2] for p in sorted(ROOT.glob("notebooks/*.ipynb"))]
    )


@pytest.mark.parametrize(("number", "title", "lesson", "count", "notebook", "points"), ROWS, ids=lambda value: value)
def test_a_row_counts_what_the_chapter_declares(number, title, lesson, count, notebook, points):
    declared = exercises.chapter(number)
    assert (int(count), int(points)) == (len(declared), sum(exercise.points for exercise in declared))
    source = (ROOT / "sources" / f"{Path(lesson).stem}.py").read_text()
    assert title in source.splitlines()[1]


def test_every_link_and_picture_is_there():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links and [link for link in links if not (ROOT / link).exists()] == []


def test_the_example_for_practitioners_runs(tmp_path, monkeypatch):
    from course_lib import data, models

    prunes, shrinks = re.findall(r"```python\n(.+?)```", README, re.DOTALL)
    train = data.fashion_mnist().train
    model = models.lenet_300_100()
    model.compile("adam", "sparse_categorical_crossentropy")
    monkeypatch.chdir(tmp_path)
    namespace = {"model": model, "x": train.x[:16_000], "y": train.y[:16_000]}
    exec(prunes, namespace)
    assert namespace["prune"].masks.sparsity == pytest.approx(0.9, abs=1e-4)
    assert (tmp_path / "model.tflite").stat().st_size < 300_000
    exec(shrinks, namespace)
    assert [layer.units for layer in namespace["small"].layers if hasattr(layer, "units")] == [150, 50, 10]
