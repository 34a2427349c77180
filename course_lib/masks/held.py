"""Masks as a mapping that nobody can change, which can be saved, compared and read off a model's zeros."""

from collections.abc import Mapping

import numpy as np

from course_lib.files import whole_file
from course_lib.variables import prunable

__all__ = ["Masks"]


class Masks(Mapping):
    """A read-only mapping {variable path: boolean array}, True = kept.

    Parameters
    ----------
    arrays
        A mapping {variable path: array of booleans}; the arrays are copied.

    Raises
    ------
    ValueError
        An array is not of booleans.

    Examples
    --------
    >>> masks = Masks({"dense/kernel": np.array([[True, False], [False, False]])})
    >>> masks.sparsity, masks["dense/kernel"][0, 0]
    (0.75, np.True_)
    >>> masks
    Masks(75.0% of 4 weights pruned: dense/kernel 75.0%)
    """

    def __init__(self, arrays: Mapping):
        self._arrays = {}
        for path, array in arrays.items():
            array = np.array(array, order="C")  # a copy
            if array.dtype != bool:
                raise ValueError(f"mask {path!r} has dtype {array.dtype}; a mask is an array of booleans, True = kept.")
            array.flags.writeable = False
            self._arrays[path] = array

    def __getitem__(self, path):
        return self._arrays[path]

    def __iter__(self):
        return iter(self._arrays)

    def __len__(self):
        return len(self._arrays)

    def __eq__(self, other):
        if not isinstance(other, Masks):
            return NotImplemented
        return self.keys() == other.keys() and all(np.array_equal(self[path], other[path]) for path in self)

    __hash__ = None

    def __reduce__(self):  # copies and pickles are read-only too
        return Masks, (self._arrays,)

    def __repr__(self):
        size = sum(mask.size for mask in self.values())
        tensors = ", ".join(f"{path} {sparsity:.1%}" for path, sparsity in self.per_tensor().items())
        return f"Masks({self.sparsity:.1%} of {size:,} weights pruned: {tensors})"

    @property
    def sparsity(self) -> float:
        """Fraction of the masked variables' entries that are pruned; 0.0 if there are none."""
        size = sum(mask.size for mask in self.values())
        return 1 - sum(int(mask.sum()) for mask in self.values()) / size if size else 0.0

    def per_tensor(self) -> dict:
        """{variable path: fraction pruned}."""
        return {path: 1 - int(mask.sum()) / mask.size if mask.size else 0.0 for path, mask in self.items()}

    def save(self, file):
        """Write the masks to ``file`` (a compressed ``.npz``), whole or not at all."""
        with whole_file(file) as opened:
            np.savez_compressed(opened, **{f"mask/{path}": mask for path, mask in self.items()})

    @classmethod
    def load(cls, file) -> "Masks":
        """Masks from a file that :meth:`save` wrote.

        Raises
        ------
        FileNotFoundError, ValueError
            There is no such file, or it does not hold masks.
        """
        try:
            with np.load(file, allow_pickle=False) as arrays:
                return cls({name.removeprefix("mask/"): arrays[name] for name in arrays})
        except FileNotFoundError:
            raise
        except Exception as error:  # np.load raises half a dozen kinds for a file that is not an .npz
            raise ValueError(f"{file} does not hold masks ({error}); give a file that Masks.save wrote.") from error

    @classmethod
    def of_zeros(cls, model) -> "Masks":
        """The masks that a model's own zeros show: how to go on after loading a pruned model from disk."""
        return cls({path: kernel.numpy() != 0 for path, kernel in prunable(model).items()})
