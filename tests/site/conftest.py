import functools
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the website, built as ``make site`` builds it."""
    folder = tmp_path_factory.mktemp("website")
    options = ["--quiet", "--fail-on-warning", "--conf-dir", "docs", "--doctree-dir", folder / "doctrees"]
    command = [sys.executable, "-m", "sphinx", *options, ".", folder / "site"]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return folder / "site"


@pytest.fixture(scope="session")
def served(site):
    """The website's address, with a slash at its end."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *what):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=site)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
