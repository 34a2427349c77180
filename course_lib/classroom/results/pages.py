"""The pages: feedback on each submission, to be handed back, and the instructor's overview."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from course_lib.classroom.grade import Record
from course_lib.classroom.language import _
from course_lib.classroom.results import words
from course_lib.files import whole_file

__all__ = ["page_names", "render", "write_feedback"]

LONGEST = 150  # bytes of a page's name; most systems allow 255
pages = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,  # everything a student wrote is text
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
pages.globals |= {"_": _} | {name: getattr(words, name) for name in words.__all__}


def write_feedback(folder: Path, records: Sequence[Record]) -> dict[str, str]:
    """Write a page for each record, and remove those of earlier ones.

    Returns
    -------
    dict
        The name of each submission's page.
    """
    names = page_names(record.submission for record in records)
    exercises = {verdict.exercise_id: verdict.exercise for record in records for verdict in record.verdicts}
    cases = {id: words.checked(exercise) for id, exercise in exercises.items()}
    folder.mkdir(exist_ok=True)
    for record in records:
        render(folder / names[record.submission], "feedback.html.jinja", record=record, cases=cases)
    for page in folder.glob("*.html"):
        if page.name not in names.values():
            page.unlink()
    return names


def page_names(submissions: Iterable[str]) -> dict[str, str]:
    """A file name for each submission that every system takes and no other submission has.

    Examples
    --------
    >>> page_names(["anna/02_l1_and_l2", "Ben", "ben", "../../etc/passwd"])
    {'anna/02_l1_and_l2': 'anna - 02_l1_and_l2.html', 'Ben': 'Ben.html', 'ben': 'ben (2).html',
     '../../etc/passwd': '_.. - .. - etc - passwd.html'}
    """
    names: dict[str, str] = {}
    taken = set()  # without case: some systems take Ben and ben for one file
    for submission in submissions:
        plain = re.sub(r"[^\w. ()-]", "_", unicodedata.normalize("NFC", submission.replace("/", " - ")))
        plain = re.sub(r"^(?=\W|$)", "_", plain).encode()[:LONGEST].decode(errors="ignore")
        free = (f"{plain} ({number}).html" if number > 1 else f"{plain}.html" for number in range(1, len(taken) + 2))
        names[submission] = next(name for name in free if name.casefold() not in taken)
        taken.add(names[submission].casefold())
    return names


def render(path: Path, template: str, **values: object) -> None:
    """Write a page, whole or not at all."""
    with whole_file(path, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(pages.get_template(template).render(values))
