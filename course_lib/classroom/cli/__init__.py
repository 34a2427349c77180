"""The command ``course``. Each command imports what it needs, so that ``course --help`` answers at once."""

from course_lib.classroom.cli import demo, doctor, hand_out, learn, make, teach  # noqa: F401 - each adds its commands
from course_lib.classroom.cli.app import app

__all__ = ["app"]
