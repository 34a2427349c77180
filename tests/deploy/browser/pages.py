"""The page in a tab: served, visited, read."""

import threading
from contextlib import contextmanager

import numpy as np

from course_lib.deploy.browser import Server

IMAGES = 200


@contextmanager
def served(files, images=IMAGES, **replaced):
    with Server(files, images) as server:
        server.resources |= replaced
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def visit(tab, address):
    tab.requests.clear()
    tab.complaints.clear()
    tab.call("Page.navigate", url=address)
    tab.until(f"location.href === '{address}' && document.querySelector('main:not([aria-busy])')")
    return tab


def text(tab, selector):
    """What the elements say, each on one line."""
    said = tab.run(f"[...document.querySelectorAll({selector!r})].map((each) => each.textContent)")
    return [" ".join(line.split()) for line in said]


def row(tab, title):
    (cells,) = tab.run(
        "[...document.querySelectorAll('#figures tbody tr')].map((row) => [...row.cells].map((c) => c.textContent))"
        f".filter(([title]) => title === {title!r})"
    )
    return cells[1:]


def drawn(tab):
    """The pixels on the pad, 0 to 1: paper is white, ink is dark."""
    rgba = tab.run("[...document.getElementById('pad').getContext('2d').getImageData(0, 0, 28, 28).data]")
    red = np.reshape(rgba, (28, 28, 4))[..., 0]
    return (255 - red) / (255 - 0x1B)
