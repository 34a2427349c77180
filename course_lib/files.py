"""Files are written whole or not at all."""

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

__all__ = ["whole_file"]


@contextmanager
def whole_file(path, mode="wb", *, private=False, **options):
    """Open a temporary file beside ``path``; it takes the name ``path`` only when the block ends without an error.

    Parameters
    ----------
    path
        The file to write; one that exists is replaced, or left as it was.
    mode, options
        As for :func:`open`.
    private
        Nobody but its owner may ever read the file, not even for a moment.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError, OSError
        The folder of ``path`` does not exist, ``path`` is a folder, or nothing can be written there.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "note.txt"
    >>> with whole_file(target, "w") as file:
    ...     _ = file.write("all of it")
    >>> target.read_text()
    'all of it'
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"path is {str(path)!r}, but there is no folder {str(path.parent)!r}; create it first.")
    if path.is_dir():
        raise IsADirectoryError(f"path is {str(path)!r}, which is a folder; give the name of a file.")
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        reason = f"path is {str(path)!r}, but nothing can be written in its folder ({error.strerror}); choose another."
        raise type(error)(reason) from error
    try:
        with os.fdopen(descriptor, mode, **options) as file:
            yield file
        if not private:
            os.chmod(temporary, _ordinary_mode())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _ordinary_mode():  # mkstemp gives 0600; an ordinary new file has what the umask leaves of 0666
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask
