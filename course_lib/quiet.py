"""Keep what TensorFlow prints about its own work out of notebooks."""

import logging
import os
import sys
from contextlib import ExitStack, contextmanager

__all__ = ["silence", "tensorflow"]


@contextmanager
def silence():
    """Drop what is printed from C++ and logged below the level of an error inside the block.

    The converter and the interpreter print past ``sys.stdout``, so the file descriptors 1 and 2 are turned away. They
    belong to the whole process: what other threads print there meanwhile is dropped too. Errors are raised as ever.

    Examples
    --------
    >>> with silence():
    ...     _ = os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.")
    """
    with open(os.devnull, "wb") as nowhere, ExitStack() as undo:
        undo.callback(logging.disable, logging.root.manager.disable)
        logging.disable(logging.WARNING)
        for stream, descriptor in [(sys.stdout, 1), (sys.stderr, 2)]:
            stream.flush()  # what was printed before must not wait in a buffer and be dropped with the rest
            shown = os.dup(descriptor)
            undo.callback(os.close, shown)
            undo.callback(os.dup2, shown, descriptor)  # undone in reverse: restore, then close
            os.dup2(nowhere.fileno(), descriptor)
        yield


def tensorflow():
    """Import TensorFlow and wake its device, without the dozen lines that this prints on a machine with no GPU.

    The first line of a lesson; later imports of TensorFlow and Keras are then silent.
    """
    with silence():
        import tensorflow as tf

        tf.zeros(1)
