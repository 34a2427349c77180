"""Keep what TensorFlow prints out of a notebook, but not out of an error."""

import os
import tempfile
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout

__all__ = ["captured", "tensorflow"]


@contextmanager
def captured():
    """Everything this process prints inside the block goes into a temporary file.

    TensorFlow prints from C++, past ``sys.stdout``, so the file descriptors 1 and 2 are turned away as well as
    Python's streams. They belong to the whole process: what other threads print at that moment is caught too.

    Yields
    ------
    callable
        Returns the text printed so far.

    Examples
    --------
    >>> with captured() as printed:
    ...     _ = os.write(2, b"from C++, ")
    ...     print("from Python")
    ...     text = printed()
    >>> text
    'from C++, from Python\\n'
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as file, ExitStack() as undo:
        for descriptor in (1, 2):
            shown = os.dup(descriptor)
            undo.callback(os.close, shown)
            undo.callback(os.dup2, shown, descriptor)  # undone in reverse: restore, then close
            os.dup2(file.fileno(), descriptor)
        undo.enter_context(redirect_stdout(file))
        undo.enter_context(redirect_stderr(file))

        def printed():
            file.seek(0)
            return file.read()

        yield printed


def tensorflow():
    """Import TensorFlow and wake its device, without the dozen lines that this prints on a machine with no GPU.

    The first line of a lesson; later imports of TensorFlow and Keras are then silent.
    """
    with captured():
        import tensorflow as tf

        tf.zeros(1)
