"""For instructors: ``course release``."""

from pathlib import Path
from typing import Annotated

import typer

from course_lib.classroom.cli.app import app, course_here, one_line_errors
from course_lib.classroom.cli.complete import chapter_numbers
from course_lib.classroom.cli.teach import secret_in
from course_lib.classroom.language import _

__all__ = ["release"]


@app.command()
def release(
    out: Annotated[Path, typer.Option(metavar="DIR", help=_("Where the zip files are written."))],
    gradescope: Annotated[
        str | None,
        typer.Option(
            metavar="NN",
            help=_("An autograder for Gradescope that grades this chapter."),
            autocompletion=chapter_numbers,
        ),
    ] = None,
    github: Annotated[
        str | None,
        typer.Option(
            metavar="NN", help=_("A template repository that checks this chapter."), autocompletion=chapter_numbers
        ),
    ] = None,
    secret: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help=_("For --gradescope: draws the hidden cases; else a new one is made.")),
    ] = None,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help=_("For --gradescope: grade also where no sandbox works."))
    ] = False,
) -> None:
    """Pack what learners get, without solutions and declarations; or what a platform needs.

    Without --gradescope and --github it is the learners' zip. Nothing is written that has not been inspected.

    Example: course release --out release
    """
    from course_lib.classroom.release.github import github as template
    from course_lib.classroom.release.gradescope import gradescope as autograder
    from course_lib.classroom.release.learners import learners

    here = course_here()
    with one_line_errors():
        if (secret or unsafe) and not gradescope:
            raise ValueError(_("--secret and --unsafe are for --gradescope NN."))
        known = None if secret is None else secret_in(secret)
        out.mkdir(parents=True, exist_ok=True)
        paths = []
        if gradescope:
            paths.append(autograder(here, out, gradescope.zfill(2), secret=known, unsafe=unsafe))
        if github:
            paths.append(template(here, out, github.zfill(2)))
        if not paths:
            paths.append(learners(here, out))
    for path in paths:
        megabytes = path.stat().st_size / 1e6
        typer.echo(_("Written: {file} ({megabytes:.1f} MB)").format(file=path, megabytes=megabytes))
