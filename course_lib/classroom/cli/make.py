"""For authors: ``course build``."""

from typing import Annotated

import typer

from course_lib.classroom.cli.app import Numbers, app, course_here, one_line_errors, terminal
from course_lib.classroom.language import _

__all__ = ["build"]


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
