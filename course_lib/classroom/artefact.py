'''A file that is handed in: how it is run, what is measured of it, and what is asked.

A ``.tflite`` file is run by LiteRT. An ``.npz`` file holds the weights of a model of :mod:`course_lib.models`, each
under the path of its variable. Both are opened where a submission runs, see :mod:`course_lib.classroom.opened`; what
they answer is compared with the right classes outside of it. In an exercise::

    def images(rng, hidden):
        """A thousand images: of the validation split for the learner, of the test split when it counts."""
        fashion = data.fashion_mnist()
        split = fashion.test if hidden else fashion.validation
        chosen = rng.choice(len(split.y), 1000, replace=False)
        return split.x[chosen], split.y[chosen]


    Exercise(
        id="08.ship_it",
        ...,
        reference=a_right_file,  # a function that gives its bytes
        artefact=Artefact(
            file="ship_it.tflite",
            inputs=images,
            floor=0.5,
            goals=[
                Goal(
                    says="at most 300 kB",
                    reached=lambda it: it.bytes <= 300_000,
                    otherwise="float32 takes four bytes a weight. Quantize to int8.",
                    missed_by=the_same_in_float32,
                ),
            ],
        ),
    )
'''

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import nan

import numpy as np

__all__ = ["SUFFIXES", "Artefact", "Goal", "Measured"]

SUFFIXES = (".tflite", ".npz")


@dataclass(frozen=True)
class Measured:
    """What was measured of a file.

    Attributes
    ----------
    bytes, gzip : int
        Its length, and that after gzip at level 9.
    accuracy : float
        Share of the inputs whose class is right.
    time : float
        Median time of one input as a share of that of the file ``beside``, in turns in one process; NaN without one.
    arrays : dict
        What an ``.npz`` file holds.
    """

    bytes: int
    gzip: int
    accuracy: float
    time: float = nan
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Goal:
    """One thing asked of a file. The exercise's points are divided evenly among its goals.

    Attributes
    ----------
    says : str
        What is asked, for the learner.
    reached : callable
        ``reached(measured) -> bool``.
    otherwise : str
        What a file that misses it looks like, and the way out.
    missed_by : callable
        Gives the bytes of a file that misses this goal and no other: the proof that it can be missed.
    """

    says: str
    reached: Callable[[Measured], bool]
    otherwise: str
    missed_by: Callable[[], bytes]


@dataclass(frozen=True)
class Artefact:
    """A file to hand in beside the notebook.

    Attributes
    ----------
    file : str
        Its name; the suffix ``.tflite`` or ``.npz`` says how it is opened.
    inputs : callable
        ``inputs(rng, hidden) -> (x, y)``: arrays (n, …) and classes (n,) that it is run on.
    goals : sequence of Goal
    floor : float
        The accuracy below which no goal counts: an empty network is small and fast.
    model : str
        For ``.npz``: the function of :mod:`course_lib.models` that makes the network.
    beside : callable or None
        For ``.tflite``: gives the bytes of the file that ``time`` is a share of.

    Raises
    ------
    ValueError
        Something above does not hold.
    """

    file: str
    inputs: Callable[[np.random.Generator, bool], tuple[np.ndarray, np.ndarray]]
    goals: Sequence[Goal]
    floor: float
    model: str = ""
    beside: Callable[[], bytes] | None = None

    def __post_init__(self):
        object.__setattr__(self, "goals", tuple(self.goals))
        if not self.file.endswith(SUFFIXES) or "/" in self.file:
            raise ValueError(f"file={self.file!r}: give the name of a .tflite or .npz file.")
        if not self.goals or len({goal.says for goal in self.goals}) < len(self.goals):
            raise ValueError(f"goals of {self.file!r}: give at least one, and each its own words.")
        weights = self.file.endswith(".npz")
        if weights != bool(self.model) or (weights and self.beside):
            raise ValueError(f"{self.file!r}: 'model' is for .npz, which wants it, and 'beside' for .tflite.")
