"""For learners: ``course lab``, ``course run``, ``course check``."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from course_lib.classroom.cli.app import Numbers, app, course_here, one_line_errors, terminal
from course_lib.classroom.language import _

__all__ = ["check", "lab", "run"]

CONFIG = Path(__file__).parents[1] / "jupyter_config"  # without the menus of nbgrader, which the tests install


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(context: typer.Context) -> None:
    """Open JupyterLab at the first lesson; what you add is passed on to it.

    Example: course lab -- --no-browser --ip 0.0.0.0
    """
    here = course_here()
    with one_line_errors():
        if not (lessons := here.lessons()):
            raise FileNotFoundError(_("There are no lessons in notebooks/ yet; run: course build"))
    configs = [str(CONFIG), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, configs))
    os.execv(sys.executable, [sys.executable, *lab_arguments(here.root, lessons[0], context.args)])


def lab_arguments(root: Path, lesson: Path, more: list[str]) -> list[str]:
    """The whole course in JupyterLab's file browser, the lesson opened beside it."""
    as_root = ["--allow-root"] if hasattr(os, "getuid") and os.getuid() == 0 else []
    page = f"/lab/tree/{lesson.relative_to(root).as_posix()}"
    return ["-m", "jupyterlab", f"--ServerApp.root_dir={root}", f"--LabApp.default_url={page}", *as_root, *more]


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
def check(file: Annotated[Path, typer.Argument(metavar="FILE", help=_("Your exercise notebook."))]) -> None:
    """Score an exercise notebook of your own: one line for each exercise, and the total.

    Example: course check exercises/02_l1_and_l2.ipynb
    """
    from course_lib.classroom.check import Feedback
    from course_lib.classroom.grade import grade_notebook
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
