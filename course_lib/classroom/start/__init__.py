"""The course's start page: an extension of Jupyter's server that answers at ``/course``.

``course lab`` enables it (``classroom/jupyter_config``) and opens it. It is a page like JupyterLab's own: whoever is
not logged in is sent to the login, and it lives below the server's base URL, as on JupyterHub and Binder.
"""

from pathlib import Path

from course_lib.classroom.course import Course
from course_lib.classroom.language import _

__all__: list[str] = []


def _jupyter_server_extension_points():
    return [{"module": __name__}]


def _load_jupyter_server_extension(server):
    from jupyter_server.utils import url_path_join

    from course_lib.classroom.start.page import StartPage

    root = Path(server.root_dir).resolve()
    try:
        course = Course.around(root)
    except FileNotFoundError as error:
        server.log.warning(str(error))
        return
    if course.root != root:
        said = _("The course has no start page here, because the server's root is {root}; start it with: course lab")
        server.log.warning(said.format(root=root))
        return
    address = url_path_join(server.web_app.settings["base_url"], "/course/?")
    server.web_app.add_handlers(".*$", [(address, StartPage, {"course": course})])
