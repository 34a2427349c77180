"""For instructors: ``course grade``."""

from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from course_lib.classroom.cli.app import app, course_here, one_line_errors, terminal
from course_lib.classroom.language import _

__all__ = ["grade"]


@app.command()
def grade(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help=_("The submitted notebooks."))],
    out: Annotated[Path, typer.Option(metavar="DIR", help=_("Where the results are written."))],
    secret: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help=_("Draws the hidden cases; else secret.hex in --out, made once.")),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help=_("Submissions graded at once; else 2."), show_default=False)
    ] = None,
    dask: Annotated[
        str | None, typer.Option(metavar="URL", help=_("Grade on a Dask cluster, such as tcp://10.0.0.1:8786."))
    ] = None,
    canvas: Annotated[
        Path | None,
        typer.Option(metavar="ROSTER.csv", help=_("The gradebook that Canvas exported; makes canvas.csv for it.")),
    ] = None,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help=_("Run student code without a sandbox, with all your rights."))
    ] = False,
) -> None:
    """Grade a folder of submitted notebooks: a feedback page each, an overview, and tables for gradebooks.

    Interrupted and started again, it goes on where it was.

    Example: course grade submissions --out grades --workers 2
    """
    from course_lib.classroom.batch import grade_folder
    from course_lib.classroom.results.canvas import write_canvas
    from course_lib.classroom.results.roster import read_roster

    here = course_here()
    if unsafe:
        typer.echo(_("There is no sandbox: student code runs on this machine with your rights."), err=True)
    options = {"workers": workers, "dask": dask, "unsafe": unsafe, "exercises": here.root / "exercises"}
    with interruptible(), one_line_errors():
        known = None if secret is None else secret_in(secret)
        roster = None if canvas is None else read_roster(canvas)
        with submissions_done() as on_progress:
            records = grade_folder(folder, out, secret=known, on_progress=on_progress, **options)
        notes = [] if roster is None else write_canvas(out / "canvas.csv", records, roster)
    terminal().print(grades_table(records))
    for note in notes:
        typer.echo(note)
    typer.echo(_("Written: {file}, the overview with a feedback page for each").format(file=out / "index.html"))
    typer.echo(_("Written: {file}, and nbgrader.csv beside it").format(file=out / "grades.csv"))
    if roster is not None:
        typer.echo(_("Written: {file}, to be imported in Canvas").format(file=out / "canvas.csv"))


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
