"""A headless Chromium to look at pages with, driven by Playwright."""

import shutil
from contextlib import contextmanager

import pytest
from playwright.sync_api import sync_playwright

NAMES = "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"
FLAGS = (
    "--no-sandbox", "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-quic",
)  # fmt: skip


def executable():
    """The browser of the system: Playwright's own would have to be fetched."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        remedy = "on Debian and Ubuntu: apt-get install chromium"
        pytest.fail(f"The page is tested in Chromium or Chrome, and none is on PATH; {remedy}", pytrace=False)
    return found


@contextmanager
def chromium():
    """A browser of Playwright's, gone when the block ends; in it this thread runs no event loop of its own."""
    path = executable()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()
