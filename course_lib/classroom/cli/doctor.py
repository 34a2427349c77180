"""For everybody: ``course doctor``."""

from pathlib import Path

import typer

from course_lib.classroom.cli.app import app
from course_lib.classroom.language import _

__all__ = ["doctor"]


@app.command()
def doctor() -> None:
    """Say what is missing on this machine, and what to do about it.

    A line for each check: ✔ works, ✘ is needed and does not, – is not needed to learn. The exit code is 1 if any is ✘.

    Example: course doctor
    """
    from course_lib.classroom.course import Course
    from course_lib.classroom.doctor import examine

    try:
        folder = Course.around(Path.cwd()).root
    except FileNotFoundError:  # course_lib alone, installed for one's own models
        folder = Path.cwd()
    missing = []
    for finding in examine(folder):
        typer.echo(str(finding))
        if finding.needed and not finding.works:
            missing.append(finding.what)
    if missing:
        typer.echo(_("Not yet ready: {missing}.").format(missing=", ".join(missing)))
        raise typer.Exit(1)
    typer.echo(_("Ready: all that the lessons need works."))
