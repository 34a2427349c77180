'''An exercise is declared once, for the learner's check, the hidden grading and the proof of both.

A chapter's declarations are a package ``course_lib/classroom/exercises/chapter_NN`` with the list ``EXERCISES``, and
one module for each exercise. A small chapter may be a single module, ``chapter_NN.py``. A whole one, with a function to
write and a value to find::

    """The exercises of chapter 02, L1 and L2."""

    import numpy as np

    from course_lib.classroom import Case, Exercise, Misconception
    from course_lib.regularizers import soft_threshold


    def cases(rng):
        """Arrays of several shapes, with entries inside, outside and exactly on the threshold."""
        for shape in [(7,), (5, 5)]:
            w = rng.normal(size=shape).astype("float32")
            w.flat[:2] = 0.5, -0.5
            yield Case("entries on both sides of the threshold", args=(w, 0.5))
        yield Case("threshold zero changes nothing", args=(rng.normal(size=4), 0.0))


    EXERCISES = [
        Exercise(
            id="02.soft_threshold",  # the chapter, and the name that the answer cell defines
            title="The soft threshold",
            points=3,
            minutes=8,
            difficulty=2,
            reference=soft_threshold,
            cases=cases,
            misconceptions=[
                Misconception(
                    wrong=lambda w, t: np.where(np.abs(w) <= t, 0, w),
                    says="The large entries keep their size: that is the hard threshold. Survivors move by t as well.",
                ),
                Misconception(
                    wrong=lambda w, t: np.maximum(w - t, 0),
                    says="Negative weights have vanished. Shrink the magnitude and put the sign back.",
                ),
            ],
            hints=["Write the answer for one positive weight first.", "Magnitude: max(|w| − t, 0). Then its sign."],
            also_right=[lambda w, t: w - np.clip(w, -t, t), lambda w, t: np.maximum(w - t, 0) + np.minimum(w + t, 0)],
        ),
        Exercise(
            id="02.stays_nonzero",  # no cases: the answer cell sets a variable, for example stays_nonzero = "B"
            title="Which penalty never reaches zero?",
            points=1,
            minutes=3,
            difficulty=1,
            reference="B",
            misconceptions=[Misconception(wrong="A", says="The pull of L1 is constant: it does arrive at zero.")],
            hints=["How strong is each pull close to zero?", "The gradient of w² is 2w."],
        ),
    ]

Arguments and results are numbers, text, None, NumPy arrays, and lists, tuples and dictionaries of them: nothing else
crosses to the process where a submission runs. Cases are drawn again from other seeds when a submission is graded, so
everything that varies must come from ``rng``, and ``says`` must be true for every seed.
'''

import keyword
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from course_lib.classroom.artefact import Artefact
from course_lib.classroom.compare import Difference, close

__all__ = ["Case", "Exercise", "Misconception"]

FEWEST_MISCONCEPTIONS = {"function": 2, "value": 1, "artefact": 0}  # the goals of an artefact say what is wrong


@dataclass(frozen=True)
class Case:
    """One call of the answer: ``says`` tells the learner what it is about, ``args`` are its arguments.

    Cases with the same ``group`` are right or wrong together; an exercise's points are divided evenly among its groups.
    The right answers within a group must not all be the same, for then a constant would be right.
    """

    says: str
    args: tuple = ()
    group: str = ""


@dataclass(frozen=True)
class Misconception:
    """A plausible wrong answer, a function or a value as the exercise asks, and the sentence that sets it right."""

    wrong: Any
    says: str


@dataclass(frozen=True)
class Exercise:
    """A function to write (with ``cases``), a file to make (with ``artefact``), or else a value to find.

    The module's docstring shows a function and a value, that of :mod:`course_lib.classroom.artefact` a file.

    Parameters
    ----------
    id
        ``"NN.name"``: the chapter, and the function or variable that the answer cell defines.
    title, points, minutes, difficulty
        What the statement's header shows; ``difficulty`` is 1, 2 or 3.
    reference
        The right function, or the right value; for a file a function that gives the bytes of a right one.
    misconceptions
        At least two for a function, one for a value, none for a file. The first one that gives what the answer gives,
        in every case, is named to the learner.
    hints
        Exactly two: where to begin, and nearly there.
    cases
        ``cases(rng)`` yields each :class:`Case`; ``None`` for a value.
    also_right
        Differently written right answers; the proof wants at least two for a function.
    compare
        ``compare(answer, expected)`` gives ``None``, or the :class:`~course_lib.classroom.compare.Difference`.
        ``functools.partial(close, rtol=0.01)`` is more lenient with numbers.
    may_use
        Modules of the library that an answer may use although the reference does; see
        :mod:`course_lib.classroom.hide`.
    artefact
        The file to make and what is asked of it.

    Raises
    ------
    ValueError
        Something above does not hold. The message names the exercise, the argument and the value.
    """

    id: str
    title: str
    points: int
    minutes: int
    difficulty: int
    reference: Any
    hints: Sequence[str]
    misconceptions: Sequence[Misconception] = ()
    cases: Callable[[np.random.Generator], Iterable[Case]] | None = None
    also_right: Sequence[Any] = ()
    compare: Callable[[Any, Any], Difference | None] = close
    may_use: Sequence[str] = ()
    artefact: Artefact | None = None

    def __post_init__(self):
        for name in ("misconceptions", "hints", "also_right", "may_use"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if not re.fullmatch(r"\d\d\.[A-Za-z_][A-Za-z0-9_]*", self.id) or keyword.iskeyword(self.name):
            raise ValueError(f"id={self.id!r}: write two digits, a dot and a Python name, like '02.soft_threshold'.")
        if not self.title.strip():
            raise ValueError(f"{self.id}: title={self.title!r} is empty.")
        for name in ("points", "minutes"):
            if not isinstance(getattr(self, name), int) or getattr(self, name) < 1:
                raise ValueError(f"{self.id}: {name}={getattr(self, name)!r} must be a whole number from 1.")
        if self.difficulty not in (1, 2, 3):
            raise ValueError(f"{self.id}: difficulty={self.difficulty!r} must be 1, 2 or 3.")
        if len(self.hints) != 2:
            raise ValueError(f"{self.id}: hints has {len(self.hints)} entries; give exactly two.")
        fewest = FEWEST_MISCONCEPTIONS[self.kind]
        if len(self.misconceptions) < fewest:
            raise ValueError(
                f"{self.id}: misconceptions has {len(self.misconceptions)} entries; a {self.kind} needs {fewest}."
            )
        if self.cases and self.artefact:
            raise ValueError(f"{self.id}: give cases for a function or an artefact for a file, not both.")
        if self.kind != "value":
            for right in (self.reference, *self.also_right, *(m.wrong for m in self.misconceptions)):
                if not callable(right):
                    raise ValueError(f"{self.id}: {right!r} is not a function, though a {self.kind} is asked for.")

    @property
    def chapter(self) -> str:
        """``"02"`` of ``"02.soft_threshold"``."""
        return self.id.partition(".")[0]

    @property
    def name(self) -> str:
        """What the answer cell defines: ``"soft_threshold"`` of ``"02.soft_threshold"``."""
        return self.id.partition(".")[2]

    @property
    def kind(self) -> str:
        """``"function"``, ``"artefact"`` or ``"value"``."""
        if self.artefact:
            return "artefact"
        return "value" if self.cases is None else "function"

    def draw(self, seeds: Iterable[int]) -> list[Case]:
        """The cases of every seed, in order; for a value the single case without arguments."""
        if self.cases is None:
            return [Case("")]
        return [case for seed in seeds for case in self.cases(np.random.default_rng(seed))]
