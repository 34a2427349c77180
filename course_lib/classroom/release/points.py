"""Run by the workflow of a template repository: ``python -m course_lib.classroom.release.points NOTEBOOK``.

Prints the feedback and the points, as annotations and as the run's summary; exit code 0 for all points, else 1.
"""

import json
import os
import secrets
import sys
from pathlib import Path

from course_lib.classroom.check import Feedback
from course_lib.classroom.grade import grade_notebook
from course_lib.classroom.language import _
from course_lib.classroom.sandbox import Unconfined

__all__ = ["main"]


def main(notebook: Path) -> int:
    """Check a notebook on the public cases; gives the exit code."""
    record = grade_notebook(notebook, exercises=notebook.parent, place=Unconfined(), reveal=True)
    if record.status == "rejected":
        print(_("{file} cannot be scored. {reason}").format(file=notebook, reason=record.reason))
        return 1
    lines = [" ".join([Feedback(verdict).headline, *verdict.says]) for verdict in record.verdicts]
    total = _("Points {score}/{max_score}").format(score=record.score, max_score=record.max_score)
    report = json.dumps({"totalPoints": record.score, "maxPoints": record.max_score})
    token = secrets.token_hex(16)
    print(f"::stop-commands::{token}")  # what a learner's exception says is no command
    print("\n".join(lines))
    print(f"::{token}::")
    print(f"::notice title=Autograding complete::{total}")
    print(f"::notice title=Autograding report::{report}")
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with open(summary, "a", encoding="utf-8") as file:
            file.write("\n".join([f"## {total}", "```", *lines, "```", ""]))
    return int(record.score < record.max_score)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
