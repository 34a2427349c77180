"""Masks: for each pruned variable an array of booleans, True where the weight is kept.

    keep the n − ⌊s·n + ½⌋ entries with the highest scores

Ties go to the entry with the lower flat index. At least one entry is kept in every group that is compared.
"""

import math
from collections.abc import Mapping
from numbers import Real

import numpy as np

from course_lib.files import whole_file
from course_lib.structures import Element
from course_lib.variables import prunable

__all__ = ["Masks", "from_scores"]

SCOPES = ("global", "tensor", "output")


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


def from_scores(scores, sparsity, structure=Element(), scope="global") -> Masks:
    """Masks that keep the highest scores.

    Parameters
    ----------
    scores
        {variable path: array of numbers}, high = keep.
    sparsity
        Fraction to prune, 0 to 1, of the structure's groups. None: all that ``NofM`` allows. Not used, and best given
        as None, when ``scope`` is a dictionary.
    structure
        Which entries go together; a structure from ``course_lib.structures``.
    scope
        What is compared with what: ``"global"``, all tensors together by their raw scores; ``"tensor"``, each tensor by
        itself; ``"output"``, each output unit (the last axis) by itself; or a dictionary
        {variable path: sparsity}, each tensor by itself with its own sparsity, and tensors not in it kept whole.

    Raises
    ------
    TypeError
        The scores are no mapping, or the structure is none.
    ValueError
        A sparsity outside [0, 1] or beyond what the structure can reach, scores that are NaN or no numbers, an unknown
        scope or path, a tensor that does not divide into the structure's groups.

    Examples
    --------
    >>> scores = {"a": np.array([4.0, 1.0, 3.0]), "b": np.array([2.0, 9.0, 8.0])}
    >>> {path: mask.tolist() for path, mask in from_scores(scores, 0.5).items()}
    {'a': [True, False, False], 'b': [False, True, True]}
    >>> from_scores(scores, None, scope={"a": 2 / 3})["a"].tolist()
    [True, False, False]
    """
    if not isinstance(scores, Mapping):
        raise TypeError(f"scores is a {type(scores).__name__}; give {{variable path: array}}.")
    if isinstance(structure, type) or not hasattr(structure, "pool"):
        raise TypeError(f"structure is {structure!r}; give one of course_lib.structures, such as Unit().")
    scores = {path: _numbers(path, array) for path, array in scores.items()}
    if sparsity is None and structure.most < 1:
        sparsity = structure.most
    _check(scores, sparsity, scope, structure)
    pooled = {path: structure.pool(array) for path, array in scores.items()}
    if isinstance(scope, Mapping):
        kept = {path: _keep([array], scope.get(path, 0.0))[0] for path, array in pooled.items()}
    elif scope == "global":
        kept = dict(zip(pooled, _keep(list(pooled.values()), sparsity), strict=True))
    elif scope == "tensor":
        kept = {path: _keep([array], sparsity)[0] for path, array in pooled.items()}
    else:
        kept = {path: _keep_per_output(array, sparsity, structure) for path, array in pooled.items()}
    return Masks({path: structure.spread(kept[path], array.shape) for path, array in scores.items()})


def _numbers(path, scores):
    """The scores as NumPy's own numbers; bfloat16 and its like, which it cannot sort, as float32."""
    array = np.asarray(scores)
    if array.dtype.kind == "V" and array.dtype.names is None:
        array = array.astype("float32")
    if array.dtype.kind not in "biuf":
        raise ValueError(f"the scores of {path!r} are of type {array.dtype}; give an array of numbers.")
    return array


def _keep(arrays, sparsity):
    """Of all entries of all arrays, keep the highest: one mask an array."""
    flat = np.concatenate([array.reshape(-1) for array in arrays]) if arrays else np.empty(0)
    pruned = min(math.floor(sparsity * flat.size + 0.5), flat.size - 1)
    if pruned <= 0:
        return [np.ones(array.shape, bool) for array in arrays]
    flat.partition(pruned - 1)
    threshold = flat[pruned - 1]  # the highest score that is pruned; entries that equal it are tied
    ties_kept = int(np.count_nonzero(flat[pruned:] == threshold))
    masks = []
    for array in arrays:
        mask = array > threshold
        if ties_kept:
            tied = np.flatnonzero(array == threshold)[:ties_kept]
            mask.flat[tied] = True  # whatever the layout in memory
            ties_kept -= tied.size
        masks.append(mask)
    return masks


def _keep_per_output(array, sparsity, structure):
    if array.ndim < 2:
        raise ValueError(f"scope is 'output', but with {structure} there is one score an output: nothing to compare.")
    columns = np.moveaxis(array, -1, 0)
    return np.stack([_keep([column], sparsity)[0] for column in columns], axis=-1)


def _check(scores, sparsity, scope, structure):
    if isinstance(scope, Mapping):
        unknown = sorted(set(scope) - set(scores))
        if unknown:
            raise ValueError(f"scope names {unknown[0]!r}, which has no scores; there are {', '.join(scores)}.")
        wanted = {f"scope[{path!r}]": value for path, value in scope.items()}
    elif scope in SCOPES:
        wanted = {"sparsity": sparsity}
    else:
        raise ValueError(f"scope is {scope!r}; choose {', '.join(map(repr, SCOPES))} or {{variable path: sparsity}}.")
    for name, value in wanted.items():
        if not (isinstance(value, Real) and 0 <= value <= 1):
            raise ValueError(f"{name} is {value!r}; a sparsity is a fraction of zeros, from 0 to 1.")
        if value > structure.most:
            raise ValueError(f"{name} is {value}; {structure} prunes at most {structure.most:g}.")
    for path, array in scores.items():
        if array.size and np.isnan(array.max()):  # the maximum of anything and NaN is NaN
            raise ValueError(
                f"the scores of {path!r} hold NaN; a weight that is NaN, or a loss that is, cannot be ranked."
            )
