"""The command ``course``. Each command imports what it needs, so that ``course --help`` answers at once."""

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from course_lib.classroom.language import _

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
Numbers = Annotated[
    list[str] | None, typer.Argument(metavar="NN", help=_("Chapter numbers, such as 02; all if none is given."))
]


@app.callback()
def course() -> None:
    """Learn to prune neural networks: open the lessons, check your answers; build, run and grade the course."""


@contextmanager
def one_line_errors():
    """One line with the remedy; exit code 2 for what the caller can put right, 1 for a setup cell that fails."""
    try:
        yield
    except (OSError, ValueError, RuntimeError) as error:
        typer.echo(_("course: {error}").format(error=error), err=True)
        raise typer.Exit(1 if isinstance(error, RuntimeError) else 2) from None


def course_here():
    from course_lib.classroom.build.course import Course

    with one_line_errors():
        return Course.around(Path.cwd())


def terminal():
    """Whole lines as they are written: paths stay in one piece, brackets are no markup."""
    from rich.console import Console

    return Console(markup=False, highlight=False, soft_wrap=True)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(context: typer.Context) -> None:
    """Open JupyterLab at the first lesson; what you add is passed on to it.

    Example: course lab -- --no-browser --ip 0.0.0.0
    """
    here = course_here()
    with one_line_errors():
        if not (lessons := here.lessons()):
            raise FileNotFoundError(_("There are no lessons in notebooks/ yet; run: course build"))
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
def build(
    numbers: Numbers = None,
    check: Annotated[
        bool, typer.Option("--check", help=_("Only compare what is built with its sources; nothing is executed."))
    ] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help=_("Execute also what is up to date, and replace exercises that hold answers.")),
    ] = False,
) -> None:
    """Make notebooks/, exercises/ and solutions/ from sources/.

    Example: course build 02
    """
    from course_lib.classroom import build as pipeline

    here = course_here()
    with one_line_errors():
        sources = here.sources(numbers or ())
    if not check:
        raise typer.Exit(pipeline.build(here, numbers or (), force=force, console=terminal()) > 0)
    drifts = list(pipeline.course_drift(here, numbers or ()))
    for drift in drifts:
        typer.echo(str(drift))
    if drifts:
        typer.echo(_("Differences: {count}. Nothing was changed.").format(count=len(drifts)))
        raise typer.Exit(1)
    typer.echo(_("What is built agrees with its {count} sources.").format(count=len(sources)))


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


@app.command()
def grade(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help=_("The submitted notebooks."))],
    out: Annotated[Path, typer.Option(metavar="DIR", help=_("Where grades.csv is written."))],
    secret: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help=_("Draws the hidden cases; else secret.hex in --out, made once.")),
    ] = None,
    workers: Annotated[int, typer.Option(metavar="N", min=1, help=_("Submissions graded at once."))] = 2,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help=_("Run student code without a sandbox, with all your rights."))
    ] = False,
) -> None:
    """Grade a folder of submitted notebooks into a table, grades.csv.

    Interrupted and started again, it goes on where it was.

    Example: course grade submissions --out grades --workers 2
    """
    from course_lib.classroom.batch import grade_folder

    here = course_here()
    if unsafe:
        typer.echo(_("There is no sandbox: student code runs on this machine with your rights."), err=True)
    options = {"workers": workers, "unsafe": unsafe, "exercises": here.root / "exercises"}
    with interruptible(), one_line_errors():
        known = None if secret is None else secret_in(secret)
        with submissions_done() as on_progress:
            records = grade_folder(folder, out, secret=known, on_progress=on_progress, **options)
    terminal().print(grades_table(records))
    typer.echo(_("Written: {file}").format(file=out / "grades.csv"))


def secret_in(file: Path) -> bytes:
    """The secret in a file that has the form of the ``secret.hex`` of an earlier run."""
    text = file.read_text(encoding="utf-8", errors="replace").strip()
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise ValueError(
            _("{file} is not a secret: it has to hold hexadecimal digits, as secret.hex does.").format(file=file)
        ) from error


@contextmanager
def interruptible():
    """What to do after Ctrl-C; exit code 130, as is usual."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(_("Stopped. Start the same command again: it goes on where it was."), err=True)
        raise typer.Exit(130) from None


@contextmanager
def submissions_done():
    """A bar that counts submissions, with the time left; gives the callback for ``grade_folder``."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = terminal()
    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()]
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(_("Grading"), total=None)
        yield lambda done, total, record: progress.update(task, completed=done, total=total)


def grades_table(records):
    """The records as a table for the terminal."""
    from rich.table import Table

    table = Table(_("submission"), _("score"), _("status"), _("reason"))
    for record in records:
        score = "" if record.score is None else f"{record.score}/{record.max_score}"
        table.add_row(record.submission, score, record.status, record.reason)
    return table


if __name__ == "__main__":
    app()
