"""A template repository: the learners' files, and a workflow that checks one exercise notebook at every push.

The workflow needs nothing but GitHub Actions. Its points are in the annotations that GitHub Classroom's reporter
wrote (github.com/classroom-resources/autograding-grading-reporter), which tools for classrooms still read; GitHub
Classroom itself ended in August 2026.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from course_lib.classroom.course import Course
from course_lib.classroom.release.contents import require_clean
from course_lib.classroom.release.learners import stage
from course_lib.classroom.release.pack import FILES, notebook_of, pack_folder

__all__ = ["github"]


def github(course: Course, out: Path, number: str) -> Path:
    """Make ``out/github-NN.zip`` for the chapter with this number.

    Raises
    ------
    ValueError
        There is no such chapter, or something would leave the course that must not: nothing was written.
    FileNotFoundError
        The course is a learner's copy itself, or a file of it is missing.
    """
    notebook = notebook_of(course, number)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        stage(course, folder)
        workflows = folder / ".github" / "workflows"
        workflows.mkdir(parents=True)
        workflow = (FILES / "classroom.yml").read_text(encoding="utf-8")
        (workflows / "classroom.yml").write_text(workflow.replace("{notebook}", notebook), encoding="utf-8")
        (folder / ".gitignore").write_text((course.root / ".gitignore").read_text())
        with open(folder / "README.md", "a", encoding="utf-8") as readme:
            readme.write((FILES / "github.md").read_text(encoding="utf-8").replace("{notebook}", notebook))
        require_clean(folder, course)
        return pack_folder(folder, out / f"github-{number}.zip", top=f"pruning-course-{number}")
