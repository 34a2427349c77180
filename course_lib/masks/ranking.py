"""From scores to masks: sort, cut, and let the first of equal scores stay."""

import math
from collections.abc import Mapping
from numbers import Real

import numpy as np

from course_lib.masks.held import Masks
from course_lib.structures import Element

__all__ = ["from_scores"]

SCOPES = ("global", "tensor", "output")


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
