"""The table that Canvas's gradebook imports.

Format: https://community.canvaslms.com, "How do I import grades in the Gradebook?"; in the source of Canvas,
``lib/gradebook_importer.rb``.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from course_lib.classroom.grade import Record
from course_lib.classroom.language import _
from course_lib.classroom.results.roster import POINTS_POSSIBLE, Roster
from course_lib.classroom.results.students import best
from course_lib.classroom.results.table import write_table

__all__ = ["write_canvas"]


def write_canvas(path: Path, records: Sequence[Record], roster: Roster) -> list[str]:
    """Write a column for each chapter, a row for each student of the roster.

    Where a student handed in a chapter more than once the higher score counts. Where there is no score, what Canvas had
    stays. A submission that fits no student, or more than one, is left out.

    Returns
    -------
    list of str
        What the instructor has to know, in sentences.
    """
    scored = [record for record in records if record.score is not None]
    fits = {record.submission: roster.find(record.submission) for record in scored}
    mine = [record for record in scored if len(fits[record.submission]) == 1]
    counts = best(mine, lambda record: fits[record.submission][0])
    chapters = sorted({record.chapter for record in scored})
    column = {chapter: roster.column(chapter) for chapter in chapters}
    most = {record.chapter: record.max_score for record in scored}
    possible = {title: roster.possible.get(title) or most[chapter] for chapter, title in column.items()}
    rows: list[dict[str, object]] = [{roster.columns[0]: f"    {POINTS_POSSIBLE}"} | possible]
    for number, student in enumerate(roster.students):
        row: dict[str, object] = {name: student.get(name, "") for name in [*roster.who, *column.values()]}
        scores = {column[chapter]: counts[number, chapter].score for chapter in chapters if (number, chapter) in counts}
        rows.append(row | scores)
    write_table(path, [*roster.who, *column.values()], rows)

    return [
        *_unmatched(fits),
        *_without_score(roster, {number for number, _chapter in counts}),
        *_more_than_once(roster, mine, fits),
        *_other_points(roster, column, most),
    ]


def _unmatched(fits: dict[str, list[int]]) -> list[str]:
    nobody = [name for name, found in fits.items() if not found]
    several = [name for name, found in fits.items() if len(found) > 1]
    said = []
    if nobody:
        said.append(_("Not in the roster, so left out: {names}").format(names="; ".join(nobody)))
    if several:
        said.append(_("More than one student fits, so left out: {names}").format(names="; ".join(several)))
    return said


def _without_score(roster: Roster, scored: set[int]) -> list[str]:
    names = [roster.name(number) for number in range(len(roster.students)) if number not in scored]
    return [_("Students without a score: {names}").format(names="; ".join(names))] if names else []


def _more_than_once(roster: Roster, records: Sequence[Record], fits: dict[str, list[int]]) -> list[str]:
    handed_in = defaultdict(list)
    for record in records:
        handed_in[fits[record.submission][0], record.chapter].append(record)
    return [
        _("{student} handed in chapter {chapter} {times} times; the highest of the scores {scores} counts.").format(
            student=roster.name(number),
            chapter=chapter,
            times=len(several),
            scores=", ".join(str(record.score) for record in several),
        )
        for (number, chapter), several in handed_in.items()
        if len(several) > 1
    ]


def _other_points(roster: Roster, column: dict[str, str], most: dict[str, int]) -> list[str]:
    said = []
    for chapter, title in column.items():
        theirs = roster.possible.get(title, "").replace(",", ".")
        try:
            same = not theirs or float(theirs) == most[chapter]
        except ValueError:
            same = False
        if not same:
            said.append(
                _("{title} has {theirs} points possible in Canvas and {ours} here; change it there.").format(
                    title=title, theirs=theirs, ours=most[chapter]
                )
            )
    return said
