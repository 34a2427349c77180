"""A file that is handed in: how it is run, what is measured of it, and what is asked.

A ``.tflite`` file is run by LiteRT. An ``.npz`` file holds the weights of a model of :mod:`course_lib.models`, each
under the path of its variable. Both are opened where a submission runs, see :mod:`course_lib.classroom.opened`; what
they answer is compared with the right classes outside of it. In an exercise::

    Exercise(
        id="08.ship_it",
        ...,
        reference=a_right_file,  # a function that gives its bytes
        artefact=Artefact(
            file="ship_it.tflite",
            floor=0.5,
            goals=[
                Goal(
                    says="at most 300 kB",
                    measure="bytes",
                    at_most=300_000,
                    otherwise="float32 takes four bytes a weight. Quantize to int8.",
                    missed_by=the_same_in_float32,
                ),
            ],
        ),
    )
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import nan

import numpy as np

from course_lib import data

__all__ = ["SUFFIXES", "Artefact", "Goal", "Measured", "fashion_images"]

SUFFIXES = (".tflite", ".npz")
IMAGES = 2000


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
        Median time of one input as a share of that of another file, in turns in one process; NaN without one.
    arrays : dict
        What an ``.npz`` file holds.
    """

    bytes: int
    gzip: int
    accuracy: float
    time: float = nan
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def zeros(self) -> float:
        """Share of the entries of arrays with two or more axes, such as kernels, that are zero; NaN without any."""
        kernels = [array for array in self.arrays.values() if array.ndim > 1]
        entries = sum(kernel.size for kernel in kernels)
        return sum(int(np.sum(kernel == 0)) for kernel in kernels) / entries if entries else nan


@dataclass(frozen=True)
class Goal:
    """One thing asked of a file. The exercise's points are divided evenly among its goals.

    Attributes
    ----------
    says : str
        What is asked, for the learner.
    measure : str
        The attribute of :class:`Measured` that it is about.
    otherwise : str
        What a file that misses it looks like, and the way out.
    missed_by : callable
        Gives the bytes of a file that misses this goal and no other: the proof that it can be missed.
    at_most, at_least : float
        The bounds of the measure, both included; NaN lies in none.
    """

    says: str
    measure: str
    otherwise: str
    missed_by: Callable[[], bytes]
    at_most: float = np.inf
    at_least: float = -np.inf

    def reached(self, measured: Measured) -> bool:
        return bool(self.at_least <= getattr(measured, self.measure) <= self.at_most)


def fashion_images(rng: np.random.Generator, hidden: bool) -> tuple[np.ndarray, np.ndarray]:
    """Images (2000, 28, 28, 1) and classes, of the validation split; when it counts of the test split."""
    fashion = data.fashion_mnist()
    split = fashion.test if hidden else fashion.validation
    chosen = rng.choice(len(split.y), IMAGES, replace=False)
    return split.x[chosen], split.y[chosen]


@dataclass(frozen=True)
class Artefact:
    """A file to hand in beside the notebook.

    Attributes
    ----------
    file : str
        Its name; the suffix ``.tflite`` or ``.npz`` says how it is opened.
    goals : sequence of Goal
    floor : float
        The accuracy below which no goal counts: an empty network is small and fast.
    model : str
        For ``.npz``: the function of :mod:`course_lib.models` that makes the network.
    beside : str
        For ``.tflite``: the function that makes the network whose float32 file ``time`` is a share of.
    inputs : callable
        ``inputs(rng, hidden) -> (x, y)``: arrays (n, …) and classes (n,) that it is run on.

    Raises
    ------
    ValueError
        Something above does not hold.
    """

    file: str
    goals: Sequence[Goal]
    floor: float
    model: str = ""
    beside: str = ""
    inputs: Callable[[np.random.Generator, bool], tuple[np.ndarray, np.ndarray]] = fashion_images

    def __post_init__(self):
        object.__setattr__(self, "goals", tuple(self.goals))
        if not self.file.endswith(SUFFIXES) or "/" in self.file:
            raise ValueError(f"file={self.file!r}: give the name of a .tflite or .npz file.")
        if not self.goals or len({goal.says for goal in self.goals}) < len(self.goals):
            raise ValueError(f"goals of {self.file!r}: give at least one, and each its own words.")
        weights = self.file.endswith(".npz")
        if weights != bool(self.model) or (weights and self.beside):
            raise ValueError(f"{self.file!r}: 'model' is for .npz, which wants it, and 'beside' for .tflite.")
        measures = {"bytes", "gzip", "accuracy"} | ({"zeros"} if weights else {"time"} if self.beside else set())
        for goal in self.goals:
            if goal.measure not in measures:
                raise ValueError(f"measure={goal.measure!r} of {goal.says!r}: choose from {sorted(measures)}.")
