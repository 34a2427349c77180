"""Run a notebook as a reader would, and hold its outputs to what may be published."""

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from itertools import chain
from pathlib import Path

from nbformat import NotebookNode, from_dict

from course_lib.classroom.language import _
from course_lib.machine import processor

__all__ = ["TIMINGS", "CellFailure", "execute", "unpublishable"]

SECONDS_PER_CELL = 300
TIMINGS = "timings"  # the key in the notebook's metadata
ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{6,}")
WIDGET = "application/vnd.jupyter.widget-view+json"


class CellFailure(RuntimeError):
    """A cell raised, ran too long, or took the kernel down."""

    def __init__(self, index: int, reason: str):
        super().__init__(reason)
        self.index = index


def execute(notebook: NotebookNode, folder: Path, on_cell: Callable[[int], None] = lambda index: None) -> None:
    """Fill in the outputs of the notebook's cells, and in the metadata ``timings`` how long they took.

    The timings are ``{"cpu": name of the processor, "cores": its logical cores, "seconds": [of each code cell]}``.

    Parameters
    ----------
    notebook
        Changed in place; after a failure it holds the outputs up to there.
    folder
        The kernel's working directory: the notebook's own folder, as in JupyterLab and nbval.
    on_cell
        Called with the cell's index before each code cell.

    Raises
    ------
    CellFailure
        The first cell that failed; ``index`` says which.
    """
    from nbclient.exceptions import CellExecutionError, CellTimeoutError

    from course_lib.classroom.build.client import Client

    running, began, seconds = 0, 0.0, []

    def starts(cell, cell_index):
        nonlocal running, began
        running = cell_index
        on_cell(cell_index)
        began = time.perf_counter()

    def ends(cell, cell_index, execute_reply):
        seconds.append(round(time.perf_counter() - began, 2))

    metadata = deepcopy(notebook.metadata)
    client = Client(
        notebook,
        timeout=SECONDS_PER_CELL,
        startup_timeout=SECONDS_PER_CELL,
        kernel_name=metadata.kernelspec.name,
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        coalesce_streams=True,
        on_cell_execute=starts,
        on_cell_executed=ends,
    )
    try:
        # What cells write reaches the notebook; the kernel repeats it, and its own warnings, on these two.
        client.execute(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        metadata[TIMINGS] = {"cpu": processor(), "cores": os.cpu_count(), "seconds": seconds}
    except CellExecutionError as error:
        raise CellFailure(running, f"{error.ename}: {error.evalue}") from error
    except CellTimeoutError as error:
        raise CellFailure(
            running, _("the cell ran for more than {seconds} s").format(seconds=SECONDS_PER_CELL)
        ) from error
    except RuntimeError as error:  # nbclient's DeadKernelError, and jupyter_client's for one that did not start
        raise CellFailure(
            running, _("the kernel died or did not start; is there enough memory? ({error})").format(error=error)
        ) from error
    finally:
        notebook.metadata = metadata  # nbclient writes the Python version and the state of widgets there
        _leave_out(notebook, client.widget_state)


def _leave_out(notebook: NotebookNode, widgets: dict) -> None:
    """What means nothing to a reader: a widget's view without its kernel, and the log of a ``stderr-ok`` cell.

    Of a widget that shows something, such as ``interactive``, this stays; of any other, its text.
    """
    for cell in notebook.cells:
        if "stderr-ok" in cell.metadata.get("tags", []):
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
        if cell.cell_type == "code":
            cell.outputs = [kept for output in cell.outputs for kept in _without_widget(output, widgets)]


def _without_widget(output: NotebookNode, widgets: dict) -> list[NotebookNode]:
    view = output.get("data", {}).pop(WIDGET, None)
    return [output] if view is None else _shown(view["model_id"], widgets) or [output]


def _shown(model: str, widgets: dict) -> list[NotebookNode]:
    """What a widget and those within it have shown."""
    state = widgets.get(model, {})
    within = [_shown(child.removeprefix("IPY_MODEL_"), widgets) for child in state.get("children", [])]
    return [*map(from_dict, state.get("outputs", [])), *chain.from_iterable(within)]


def unpublishable(notebook: NotebookNode, course: Path) -> Iterator[tuple[int, str]]:
    """Index of the cell and sentence, for every output that does not belong into a notebook that is published."""
    private = _private_folders(course)
    for index, cell in enumerate(notebook.cells):
        raises = "raises-exception" in cell.metadata.get("tags", [])
        for output in cell.get("outputs", []):
            for sentence in _faults(output, private, raises):
                yield index, sentence


def _faults(output: NotebookNode, private: re.Pattern, raises: bool) -> Iterator[str]:
    if output.output_type == "error" and not raises:
        yield _("raised {name}: {value}").format(name=output.ename, value=output.evalue)
    if output.get("name") == "stderr":
        yield _("wrote to standard error: {text!r}. Avoid it or tag the cell stderr-ok.").format(text=output.text[:200])
    for text in _texts(output):
        if found := private.search(text):
            yield _("shows a path of this machine: {path}. Show the name only.").format(path=found[0])
        if found := ADDRESS.search(text):
            yield _("shows a memory address: {text!r}. End the cell's last line with ';'.").format(text=found[0])


def _private_folders(course: Path) -> re.Pattern:
    folders = {course.resolve(), Path.home(), Path(tempfile.gettempdir()).resolve()} - {Path("/")}
    return re.compile("(?:" + "|".join(re.escape(str(folder)) for folder in sorted(folders)) + r")(?![\w-])[^\s'\"]*")


def _texts(output: NotebookNode) -> Iterator[str]:
    yield output.get("text", "")
    yield from output.get("traceback", [])
    for kind, content in output.get("data", {}).items():
        if kind.startswith("text/") and isinstance(content, str):  # pictures are base64, where anything may occur
            yield content
