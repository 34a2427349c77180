"""What all commands share: the application, the course's folder, errors as one line."""

import os
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from course_lib.classroom.cli.complete import chapter_numbers
from course_lib.classroom.language import _
from course_lib.classroom.presence import JUPYTER

__all__ = ["Numbers", "app", "course_here", "one_line_errors", "terminal"]

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
Numbers = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="NN", help=_("Chapter numbers, such as 02; all if none is given."), autocompletion=chapter_numbers
    ),
]


@app.callback()
def course() -> None:
    """Learn to prune neural networks: open the lessons, check your answers; build, run and grade the course."""
    os.environ.pop(JUPYTER, None)  # `!course run` in a notebook starts kernels of its own, at which nobody works


@contextmanager
def one_line_errors():
    """One line with the remedy; exit code 2 for what the caller can put right, 1 for a setup cell that fails."""
    try:
        yield
    except (OSError, ValueError, RuntimeError) as error:
        typer.echo(_("course: {error}").format(error=error), err=True)
        raise typer.Exit(1 if isinstance(error, RuntimeError) else 2) from None


def course_here():
    from course_lib.classroom.course import Course

    with one_line_errors():
        return Course.around(Path.cwd())


def terminal():
    """Whole lines as they are written: paths stay in one piece, brackets are no markup."""
    from rich.console import Console

    return Console(markup=False, highlight=False, soft_wrap=True)
