"""For learners: ``course lab``, ``course run``, ``course check``, ``course progress``."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from course_lib.classroom.cli.app import Numbers, app, course_here, one_line_errors, terminal
from course_lib.classroom.cli.complete import exercise_files
from course_lib.classroom.language import _

__all__ = ["check", "lab", "progress", "run"]

CONFIG = Path(__file__).parents[1] / "jupyter_config"  # without the menus of nbgrader, which the tests install


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(context: typer.Context) -> None:
    """Open the course's start page, and JupyterLab from there; what you add is passed on to JupyterLab.

    Example: course lab -- --no-browser --ip 0.0.0.0
    """
    here = course_here()
    with one_line_errors():
        if not here.lessons():
            raise FileNotFoundError(_("There are no lessons in notebooks/ yet; run: course build"))
    configs = [str(CONFIG), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, configs))
    os.execv(sys.executable, [sys.executable, *lab_arguments(here.root, context.args)])


def lab_arguments(root: Path, more: list[str]) -> list[str]:
    """The start page first; the whole course in JupyterLab's file browser."""
    as_root = ["--allow-root"] if hasattr(os, "getuid") and os.getuid() == 0 else []
    return ["-m", "jupyterlab", f"--ServerApp.root_dir={root}", "--LabApp.default_url=/course", *as_root, *more]


@app.command()
def run(numbers: Numbers = None) -> None:
    """Execute the lessons in order, into runs/, and print the table of the whole path.

    Example: course run 02 03
    """
    from course_lib.classroom.run import run as run_lessons

    here = course_here()
    with one_line_errors():
        here.lessons(numbers or ())
    raise typer.Exit(run_lessons(here, numbers or (), console=terminal()) > 0)


@app.command()
def check(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help=_("Your exercise notebook."), autocompletion=exercise_files)
    ],
) -> None:
    """Score an exercise notebook of your own: one line for each exercise, and the total.

    The points are noted for `course progress`; the best attempt counts.

    Example: course check exercises/02_l1_and_l2.ipynb
    """
    from course_lib.classroom.feedback import Feedback
    from course_lib.classroom.grade import grade_notebook
    from course_lib.classroom.presence import attended
    from course_lib.classroom.progress import attempted, note
    from course_lib.classroom.sandbox import Unconfined

    here = course_here()
    with one_line_errors():
        record = grade_notebook(file, exercises=here.root / "exercises", place=Unconfined(), reveal=True)
        if record.status == "rejected":
            raise ValueError(
                _("{file} cannot be scored. {reason} Give a notebook of exercises/ that you filled in.").format(
                    file=file, reason=record.reason
                )
            )
    for verdict in record.verdicts:
        typer.echo(" ".join([Feedback(verdict).headline, *verdict.says]))
    typer.echo(_("Total: {score} of {max_score} points").format(score=record.score, max_score=record.max_score))
    if attended():
        note(here, attempted(record.verdicts))


@app.command()
def progress() -> None:
    """Show what you have read and solved, and what comes next.

    Example: course progress
    """
    from rich.table import Table

    from course_lib.classroom import standing
    from course_lib.classroom.progress import load

    here = course_here()
    with one_line_errors():
        chapters = standing.chapters(here, load(here))
    table = Table("", _("chapter"), _("state"), _("exercises"), _("points"))
    for chapter in chapters:
        exercises = _("{solved} of {count}").format(solved=chapter.solved, count=len(chapter.worth))
        points = _("{points} of {max_score}").format(points=chapter.points, max_score=chapter.max_score)
        counted = (exercises, points) if chapter.worth else ("", "")
        table.add_row(chapter.number, chapter.title, standing.words(chapter.state), *counted)
    terminal().print(table)
    typer.echo(_("The best attempt counts."))
    if step := standing.next_step(chapters):
        typer.echo(_("Next: {says} ({notebook})").format(says=step.says, notebook=step.notebook))
    else:
        typer.echo(_("You have read and solved everything."))
