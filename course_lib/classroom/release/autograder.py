"""Run by ``run_autograder`` for each submission: reads it, grades it, writes ``results/results.json``.

The folder is Gradescope's ``/autograder``: ``source`` is the unpacked zip, ``submission`` what was handed in.
"""

import json
import sys
from pathlib import Path

from course_lib.classroom.grade import Record, grade_notebook
from course_lib.classroom.language import _
from course_lib.classroom.release.lowered import Lowered
from course_lib.classroom.results.gradescope import results
from course_lib.classroom.sandbox import NoSandbox, Sandbox
from course_lib.classroom.submission import Rejected, read_submission
from course_lib.files import whole_file

__all__ = ["main"]


def main(autograder: Path) -> None:
    """Grade what lies in ``submission``; whatever happens, ``results/results.json`` is written."""
    source = autograder / "source"
    source.chmod(0o700)  # declarations and secret, before anything of the submission runs
    try:
        record = _record(autograder / "submission", source)
    except NoSandbox as error:
        record = Record("submission", "error", f"{error}\n{_ways_out()}")
    except Exception as error:
        record = Record("submission", "error", f"{type(error).__name__}: {error}")
    if record.status == "error":
        print(record.reason)  # for the instructor, who sees the output
    (autograder / "results").mkdir(exist_ok=True)
    with whole_file(autograder / "results" / "results.json", "w", encoding="utf-8") as file:
        json.dump(results(record), file)


def _record(submission: Path, source: Path) -> Record:
    settings = json.loads((source / "settings.json").read_text(encoding="utf-8"))
    options = {"exercises": source / "exercises", "secret": bytes.fromhex((source / "secret.hex").read_text())}
    try:
        notebook = _notebook(submission, settings["chapter"])
    except Rejected as rejected:
        return Record("submission", "rejected", str(rejected))
    try:
        with Sandbox() as place:
            return grade_notebook(notebook, place=place, **options)
    except NoSandbox:
        if not settings["unsafe"]:
            raise
    with Lowered() as place:
        print(place.says)
        return grade_notebook(notebook, place=place, **options)


def _notebook(submission: Path, number: str) -> Path:
    """The exercise notebook of the chapter; that of another, and lessons, may lie beside it, as in a repository.

    Raises
    ------
    Rejected
        There is none, or there are several.
    """
    reasons, ours = [], []
    for path in sorted(submission.rglob("*.ipynb")):
        if any(part.startswith(".") for part in path.relative_to(submission).parts):
            continue  # a system's, such as .ipynb_checkpoints
        try:
            chapter = read_submission(path).chapter
        except Rejected as rejected:
            reasons.append(str(rejected))
            continue
        if chapter == number:
            ours.append(path)
        else:
            reasons.append(_("It is the exercise notebook of another chapter, {number}.").format(number=chapter))
    if len(ours) == 1:
        return ours[0]
    if ours:
        raise Rejected(_("It has {count} exercise notebooks of this chapter; hand in one.").format(count=len(ours)))
    if len(reasons) == 1:
        raise Rejected(reasons[0])
    raise Rejected(_("It has no exercise notebook of chapter {number}.").format(number=number))


def _ways_out() -> str:
    return _(
        "On Gradescope you cannot change that. Either download the submissions and grade them on your own machine "
        "(course grade), or build this autograder again with course release --gradescope NN --unsafe: student code "
        "then runs as another user who cannot read what grades it, but can use the network and outlive its time."
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
