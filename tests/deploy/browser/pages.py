"""The page: served, visited, read."""

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


def visit(browser, address):
    """A new page, in the place of earlier ones, once it is ready; what it asked for and was told off for is kept."""
    for context in browser.contexts:
        context.close()
    page = browser.new_page()
    page.requests, page.complaints = [], []
    page.on("request", lambda request: page.requests.append(request.url))
    # What scripts print comes with arguments, what the browser itself complains of without.
    page.on("console", lambda message: message.args or page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(error.message))
    page.goto(address)
    page.locator("main:not([aria-busy])").wait_for(timeout=60_000)
    return page


def text(page, selector):
    """What the elements say, each on one line."""
    return [" ".join(line.split()) for line in page.locator(selector).all_text_contents()]


def row(page, title):
    (cells,) = page.evaluate(
        "[...document.querySelectorAll('#figures tbody tr')].map((row) => [...row.cells].map((c) => c.textContent))"
        f".filter(([title]) => title === {title!r})"
    )
    return cells[1:]


def drawn(page):
    """The pixels on the pad, 0 to 1: paper is white, ink is dark."""
    rgba = page.evaluate("[...document.getElementById('pad').getContext('2d').getImageData(0, 0, 28, 28).data]")
    red = np.reshape(rgba, (28, 28, 4))[..., 0]
    return (255 - red) / (255 - 0x1B)
