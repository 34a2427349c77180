"""The start page as it is asked for: what has been done is read anew each time."""

import secrets
from pathlib import Path

from jinja2 import FileSystemLoader
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado import web

from course_lib.classroom import standing
from course_lib.classroom.course import Course
from course_lib.classroom.progress import Progress, load
from course_lib.classroom.results.pages import pages

__all__ = ["StartPage"]

templates = pages.overlay(loader=FileSystemLoader([Path(__file__).parent, *pages.loader.searchpath]))


class StartPage(JupyterHandler):
    """The chapters with their state, and one link to what comes next."""

    def initialize(self, course: Course) -> None:
        self.course = course

    @web.authenticated
    def get(self) -> None:
        problem = ""
        try:
            done = load(self.course)
        except (OSError, ValueError) as error:
            done, problem = Progress(), str(error)
        chapters = standing.chapters(self.course, done)
        self.set_header("Cache-Control", "no-store")
        self.finish(
            templates.get_template("start.html.jinja").render(
                chapters=chapters,
                step=standing.next_step(chapters),
                problem=problem,
                opened=self.opened,
                words=standing.words,
                nonce=secrets.token_urlsafe(),
            )
        )

    def opened(self, notebook: str = "") -> str:
        """The address at which JupyterLab opens a notebook of the course, or only itself."""
        return url_path_join(self.base_url, "lab/tree", notebook) if notebook else url_path_join(self.base_url, "lab")
