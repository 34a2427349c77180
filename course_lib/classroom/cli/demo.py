"""For everybody with a ``.tflite`` file: ``course demo``."""

import threading
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from course_lib import quiet
from course_lib.classroom.cli.app import app, course_here, one_line_errors
from course_lib.classroom.language import _

__all__ = ["demo"]


@app.command()
def demo(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="A.tflite B.tflite", help=_("One file or two; if none is given, an example.")),
    ] = None,
    images: Annotated[
        int, typer.Option(metavar="N", min=1, max=10_000, help=_("How many test images are compared."))
    ] = 1000,
    browser: Annotated[bool, typer.Option(help=_("Open the page; else only its address is printed."))] = True,
) -> None:
    """Compare .tflite files in the browser: size, time, and which images they class differently.

    The example is a dense network and the same one pruned to int8: trained once, kept in runs/demo.

    Example: course demo dense.tflite pruned.tflite
    """
    kept = None if files else course_here().root / "runs" / "demo"
    with quiet.silence():
        from course_lib.deploy.browser import Server, example_files
    with one_line_errors(), Server(files or example_files(kept), images) as server:
        typer.echo(_("The page is at {address} (Ctrl-C ends it)").format(address=server.address))
        if browser:  # a browser of the terminal returns only when it is closed
            threading.Thread(target=webbrowser.open, args=[server.address], daemon=True).start()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            typer.echo("\n" + _("Ended."))
