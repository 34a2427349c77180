"""Two ``.tflite`` files side by side in a browser, run there by LiteRT.js: size, time, and where they disagree."""

from course_lib.deploy.browser.example import example_files
from course_lib.deploy.browser.server import Server

__all__ = ["Server", "example_files"]
