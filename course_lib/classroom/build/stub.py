"""What stands in an exercise notebook in the place of a solution."""

import re
import textwrap

from course_lib.classroom.exercise import Exercise

__all__ = ["PLACEHOLDER", "stub"]

PLACEHOLDER = r"^\s*(raise NotImplementedError\(|(\w+ = )?\.\.\.$)"  # what :func:`stub` leaves to be replaced

REGION = re.compile(
    r"^(?P<indent>[ \t]*)### BEGIN SOLUTION\n(?P<solution>.*?)^[ \t]*### END SOLUTION[ \t]*$", re.M | re.S
)


def stub(answer: str, exercise: Exercise) -> str:
    """The answer cell with every solution region replaced.

    In a function the region becomes ``raise NotImplementedError``; for a value it becomes ``...``, assigned to the
    value's name if the region did so. The indentation is kept.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> value = SimpleNamespace(name="strength", kind="value")
    >>> stub("### BEGIN SOLUTION\\nstrength = 1\\n### END SOLUTION", value)
    'strength = ...'
    """
    name = exercise.name

    def placeholder(region: re.Match) -> str:
        if exercise.kind == "function":
            line = f'raise NotImplementedError("write {name}: replace this line")'
        elif re.search(rf"^{name} *(:.*)?=", textwrap.dedent(region["solution"]), re.M):
            line = f"{name} = ..."
        else:
            line = "..."
        return region["indent"] + line

    return REGION.sub(placeholder, answer)
