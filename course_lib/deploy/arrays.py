"""What a model is fed: one checked array for each of its inputs."""

import numpy as np

__all__ = ["named_arrays"]


def named_arrays(argument, x, shapes) -> dict:
    """``x`` as {name of the input: array (n, …)}, checked against the shapes that the model wants.

    Parameters
    ----------
    argument
        What the caller calls x, for the messages.
    x
        For one input an array; for several a dict by name, or a tuple or list in the order of ``shapes``.
    shapes
        {name of the input: its shape without the batch}; None or −1 stands for any size.

    Raises
    ------
    ValueError
        Arrays are missing or left over, empty, of different lengths, of another shape, or not of numbers.

    Examples
    --------
    >>> named_arrays("x", [[1, 2], [3, 4]], {"image": (2,)})
    {'image': array([[1, 2], [3, 4]])}
    """
    if len(shapes) == 1 and not isinstance(x, dict):
        x = [x]
    if isinstance(x, (tuple, list)) and len(x) == len(shapes):
        x = dict(zip(shapes, x, strict=True))
    if not isinstance(x, dict) or x.keys() != shapes.keys():
        given = list(x) if isinstance(x, dict) else f"a {type(x).__name__}"
        raise ValueError(
            f"{argument} is {given}, but the model has the inputs {list(shapes)}; give one array for each."
        )

    arrays = {name: np.asarray(x[name]) for name in shapes}
    for name, array in arrays.items():
        wanted = ["n", *("any" if size in (-1, None) else int(size) for size in shapes[name])]
        fits = array.ndim == len(wanted) and all(w in ("n", "any", s) for w, s in zip(wanted, array.shape, strict=True))
        if not fits or array.dtype.kind not in "biuf":
            raise ValueError(
                f"{argument} has shape {array.shape} and type {array.dtype} for the input {name!r}; "
                f"give numbers of shape ({', '.join(map(str, wanted))})."
            )
        if len(array) == 0:
            raise ValueError(f"{argument} has shape {array.shape} for the input {name!r}; give at least one row.")
    rows = {name: len(array) for name, array in arrays.items()}
    if len(set(rows.values())) > 1:
        raise ValueError(f"{argument} has different numbers of rows, {rows}; give every input the same number.")
    return arrays
