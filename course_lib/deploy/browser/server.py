"""The page and what it compares, handed out on this machine.

All that can be asked for is put together beforehand, in memory: no request reaches the disk or another machine, and
names of files are data, never part of an address.
"""

import json
import sys
from collections import Counter
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from course_lib.checks import whole
from course_lib.data import FASHION_MNIST_CLASSES, FOLDER
from course_lib.data.idx import read_idx
from course_lib.deploy.browser.about import about

__all__ = ["Server"]

HERE = Path(__file__).parent
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".wasm": "application/wasm",
}
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",  # this and the next: a page of its own may read a finer clock
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class Resource(NamedTuple):
    """What is sent for an address; ``encoding`` is ``"gzip"`` where the content is kept packed."""

    content: bytes
    type: str
    encoding: str = ""


class Server(ThreadingHTTPServer):
    """A page that compares one or two ``.tflite`` files, at a free port of 127.0.0.1; ``serve_forever()`` hands it out.

    Parameters
    ----------
    files
        One or two files with one input of 28 × 28 pixels and one output of ten classes. They are read now.
    images
        How many images of Fashion-MNIST's test split the page has, from the first on: at most 10,000.

    Raises
    ------
    FileNotFoundError, ValueError
        A file is missing, damaged or no such classifier; there are none, or more than two; images is out of range.

    Examples
    --------
    >>> import tempfile
    >>> from course_lib import deploy, models
    >>> file = deploy.to_tflite(models.small_cnn(), Path(tempfile.mkdtemp()) / "cnn.tflite")
    >>> with Server([file]) as server:
    ...     server.address  # doctest: +ELLIPSIS
    'http://127.0.0.1:.../'
    """

    daemon_threads = True

    def __init__(self, files, images=1000):
        self.resources = {**page(), **subject([Path(file) for file in files], images)}
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"

    def handle_error(self, request, client_address):
        """A browser that goes away in the middle of an answer is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """Look it up, send it."""

    def do_GET(self):
        resource = self.server.resources.get(self.path)
        if resource is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.send_response(HTTPStatus.OK)
        for header, value in HEADERS.items():
            self.send_header(header, value)
        self.send_header("Content-Type", resource.type)
        if resource.encoding:
            self.send_header("Content-Encoding", resource.encoding)
        self.send_header("Content-Length", str(len(resource.content)))
        self.end_headers()
        self.wfile.write(resource.content)

    def log_message(self, *message):
        """Say nothing: the terminal belongs to the one who started the server."""


def page() -> dict[str, Resource]:
    """The page itself, and the runtime beside it."""
    plain = {f"/{file.name}": Resource(file.read_bytes(), TYPES[file.suffix]) for file in (HERE / "page").iterdir()}
    packed = {
        f"/litert/{file.stem}": Resource(file.read_bytes(), TYPES[Path(file.stem).suffix], "gzip")
        for file in (HERE / "litert").glob("*.gz")
    }
    return plain | packed | {"/": plain["/index.html"]}


def subject(files, images) -> dict[str, Resource]:
    """What is compared: the files, and the images as one byte a pixel, 784 an image."""
    if not 1 <= len(files) <= 2:
        raise ValueError(f"files has {len(files)} entries; give one or two .tflite files.")
    whole(1, images=images)
    pixels = read_idx(FOLDER / "t10k-images-idx3-ubyte.gz")
    labels = read_idx(FOLDER / "t10k-labels-idx1-ubyte.gz")
    if images > len(pixels):
        raise ValueError(f"images is {images}; the test split has {len(pixels):,}.")
    names = Counter(file.name for file in files)
    comparison = {
        "files": [{"name": file.name if names[file.name] == 1 else str(file), **about(file)} for file in files],
        "classes": FASHION_MNIST_CLASSES,
        "labels": labels[:images].tolist(),
    }
    binary = "application/octet-stream"
    return {
        "/comparison.json": Resource(json.dumps(comparison).encode(), TYPES[".json"]),
        "/images": Resource(pixels[:images].tobytes(), binary),
        **{f"/file/{i}": Resource(file.read_bytes(), binary) for i, file in enumerate(files)},
    }
