"""What is being executed: notebook, cell k of n, seconds."""

from contextlib import contextmanager

from nbformat import NotebookNode
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from course_lib.classroom.language import _

__all__ = ["cell_progress"]


@contextmanager
def cell_progress(console: Console, name: str, notebook: NotebookNode):
    """A line that moves while a notebook is executed and is gone afterwards; gives the callback for ``execute``."""
    code = [index for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn(_("cell {task.completed} of {task.total}")),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(name, total=len(code))
        yield lambda index: progress.update(task, completed=code.index(index) + 1)
