"""A headless Chromium to look at a page with, driven by its DevTools protocol."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import websocket

NAMES = "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"
FLAGS = (
    "--headless", "--no-sandbox", "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-quic", "--remote-debugging-port=0",
)  # fmt: skip


def executable():
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        remedy = "on Debian and Ubuntu: apt-get install chromium"
        pytest.fail(f"The page is tested in Chromium or Chrome, and none is on PATH; {remedy}", pytrace=False)
    return found


@contextmanager
def chromium():
    """A :class:`Tab`; the browser and its profile are gone when the block ends."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [executable(), *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
        process = subprocess.Popen(command, **quiet)
        try:
            yield Tab(_address(Path(profile) / "DevToolsActivePort", process))
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # its own session: the browser and its children
            process.wait()


def _address(file, process):
    """Where the browser listens: it writes the port and the path into a file of its profile."""
    deadline = time.monotonic() + 60
    while not (file.is_file() and len(lines := file.read_text().split()) == 2):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args[0]} did not start; run it by hand to see why.")
        time.sleep(0.05)
    return f"ws://127.0.0.1:{lines[0]}{lines[1]}"


class Tab:
    """One page: call methods of the protocol, evaluate expressions; what it asked for and complained of is kept."""

    def __init__(self, address):
        self.socket = websocket.create_connection(address, timeout=60, suppress_origin=True)
        self.session, self.sent = None, 0
        self.requests, self.complaints = [], []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method, **params):
        self.sent += 1
        message = {"id": self.sent, "method": method, "params": params}
        self.socket.send(json.dumps(message | ({"sessionId": self.session} if self.session else {})))
        while (answer := json.loads(self.socket.recv())).get("id") != self.sent:
            self._note(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def _note(self, event):
        match event:
            case {"method": "Network.requestWillBeSent", "params": {"request": {"url": url}}}:
                self.requests.append(url)
            case {"method": "Log.entryAdded", "params": {"entry": {"text": text}}}:
                self.complaints.append(text)
            case {"method": "Runtime.exceptionThrown", "params": {"exceptionDetails": details}}:
                self.complaints.append(details.get("exception", details).get("description", details["text"]))

    def run(self, expression):
        """The value of a JavaScript expression, awaited."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"]["description"])
        return answer["result"].get("value")

    def until(self, condition, seconds=60):
        """Wait for a JavaScript expression to be true."""
        deadline = time.monotonic() + seconds
        while not self.run(f"Boolean({condition})"):
            assert time.monotonic() < deadline, f"{condition} is not true after {seconds} s; {self.complaints}"
            time.sleep(0.05)
