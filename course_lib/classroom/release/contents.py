"""Nothing leaves the course that learners must not see: what is looked for before a folder is packed.

Each rule yields a sentence for what breaks it, beginning with the file.
"""

import re
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from course_lib.classroom.build.drift import notebook_drift
from course_lib.classroom.build.render import notebooks
from course_lib.classroom.build.source import Source, read_source
from course_lib.classroom.course import Course
from course_lib.classroom.language import _
from course_lib.classroom.release.answers import answers, searchable
from course_lib.classroom.release.pack import BANK

__all__ = ["require_clean"]

ALLOWED = re.compile(
    r"(LICENSE|Makefile|README\.md|environment\.yml|pyproject\.toml|requirements\.lock|\.gitignore"
    r"|notebooks/\d\d_\w+\.(ipynb|png)|exercises/\d\d_\w+\.ipynb|docs/glossary\.md|\.github/workflows/classroom\.yml)"
)
DECLARED = PurePosixPath("course_lib", BANK)
SECRET = re.compile(r"\s*[0-9a-fA-F]{32,}\s*")  # a file like secret.hex
GRADED = re.compile(r'"key": "[0-9a-f]{64}", "record"')  # a line of graded.jsonl


def require_clean(folder: Path, course: Course) -> None:
    """Raise a ValueError that names everything in the folder that must not leave the course."""
    sources = [read_source(path) for path in course.sources()]
    found = [*_paths(folder), *_notebooks(folder, course, sources), *_texts(folder, course, sources)]
    if found:
        raise ValueError(_("Nothing was released.\n{found}").format(found="\n".join(found)))


def _paths(folder: Path) -> Iterator[str]:
    """Only what is known to belong: of the library what pip would install, of the bank what is frozen."""
    data = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["package-data"]
    patterns = [f"{package.replace('.', '/')}/{name}" for package, names in data.items() for name in names]
    for name in _names(folder):
        path = PurePosixPath(name)
        of_library = path.parts[0] == "course_lib" and (
            path.suffix == ".py" or any(fnmatch(name, pattern) for pattern in patterns)
        )
        declared = path.is_relative_to(DECLARED) and path != DECLARED / "__init__.py" and path.suffix != ".frozen"
        if declared or not (of_library or ALLOWED.fullmatch(name)):
            yield _("{file} does not belong in a release; take it out of that folder.").format(file=name)


def _notebooks(folder: Path, course: Course, sources: list[Source]) -> Iterator[str]:
    """Every notebook is what its source gives: an exercise with stubs and without outputs, a lesson executed."""
    expected = set()
    for source in sources:
        for kind, notebook in notebooks(source).items():
            name = f"{kind}/{source.chapter}.ipynb"
            if kind != "solutions":
                expected.add(name)
                for cell, differs in notebook_drift(notebook, folder / name, course, executed=kind == "notebooks"):
                    yield _("{file}: cell {cell} {differs}; run: course build {number}").format(
                        file=name, cell=cell or "–", differs=differs, number=source.number
                    )
    for name in _names(folder):
        if name.endswith(".ipynb") and name not in expected:
            yield _("{file} has no source.").format(file=name)


def _texts(folder: Path, course: Course, sources: list[Source]) -> Iterator[str]:
    """No solution, no secret, no grades, no path of this machine, in anything that is text."""
    rights = list(answers(sources))
    secrets = {path.read_text(errors="replace").strip() for path in _below(course.root) if path.name == "secret.hex"}
    private = [str(each) for each in (course.root.resolve(), Path.home()) if each != Path("/")]
    paths = re.compile("(?:" + "|".join(map(re.escape, private)) + r")(?![\w-])")
    for name in _names(folder):
        try:
            text = (folder / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if SECRET.fullmatch(text) or any(secret in text for secret in secrets if secret):
            yield _("{file} holds a secret that hidden cases are drawn from.").format(file=name)
        if GRADED.search(text):
            yield _("{file} holds grades.").format(file=name)
        if private and paths.search(text):
            yield _("{file} shows a path of this machine.").format(file=name)
        if name.startswith("course_lib/") and not name.startswith("course_lib/classroom/"):
            continue  # the library may do what an exercise asks for: that is what it is for
        code = searchable(name, text)
        for id, answer in rights:
            if answer in code:
                yield _("{file} holds the solution of {id}: {answer}").format(file=name, id=id, answer=answer[:60])


def _names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _below(folder: Path) -> Iterator[Path]:
    """All files but those in hidden folders, such as environments."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink() and not path.name.startswith("."):
            yield from _below(path)
        elif path.is_file():
            yield path
