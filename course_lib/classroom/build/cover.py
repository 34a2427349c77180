"""The cover: the picture that the cell tagged ``cover`` draws, as a file beside the notebook, for the README."""

from base64 import b64decode

from nbformat import NotebookNode

__all__ = ["cover"]


def cover(notebook: NotebookNode) -> bytes | None:
    """The PNG that the cell tagged ``cover`` shows; None if no cell has the tag, or it shows none."""
    for cell in notebook.cells:
        if "cover" in cell.metadata.get("tags", []):
            for output in cell.get("outputs", []):
                if picture := output.get("data", {}).get("image/png"):
                    return b64decode(picture)
    return None
