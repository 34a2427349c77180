"""Pictures of weights and masks."""

from collections.abc import Mapping

import numpy as np

from course_lib.plots.look import BLUE, ORANGE, axes
from course_lib.variables import prunable

__all__ = ["histogram", "mask", "matrix"]


def matrix(values, title="", ax=None, limit=None):
    """Draw a small matrix as coloured squares with its numbers in them; an exact zero is an empty square.

    Parameters
    ----------
    values
        Array (rows, columns), up to about 10 × 10.
    limit
        The absolute value with the darkest colour; the largest of ``values`` if None. Give the same to matrices
        that are compared.

    ``title``, ``ax`` and the result are those of every picture: see :mod:`course_lib.plots`.

    Raises
    ------
    ValueError
        ``values`` does not have two axes.

    Examples
    --------
    >>> matrix([[1.0, 0.0], [-2.0, 0.5]], title="one zero").get_title(loc="left")
    'one zero'
    """
    values = np.asarray(values, float)
    if values.ndim != 2:
        raise ValueError(f"values has the shape {values.shape}; a matrix has two axes.")
    limit = limit or np.abs(values).max() or 1.0
    ax = axes(ax, figsize=(0.62 * values.shape[1] + 0.4, 0.62 * values.shape[0] + 0.6))
    ax.imshow(np.where(values == 0, np.nan, values), cmap="PuOr", vmin=-limit, vmax=limit)
    for (row, column), value in np.ndenumerate(values):
        color = "white" if abs(value) > 0.6 * limit else "black"
        ax.text(column, row, f"{value:.1f}" if value else "0", ha="center", va="center", color=color, fontsize=9)
    ax.set_title(title, loc="left")
    ax.set(xticks=np.arange(values.shape[1] + 1) - 0.5, yticks=np.arange(values.shape[0] + 1) - 0.5)
    ax.set(xticklabels=[], yticklabels=[])
    ax.grid(color="0.8", lw=0.8)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def histogram(weights, title="", ax=None, bins=80):
    """How the weights are distributed, on a logarithmic scale; exact zeros are counted apart, as one line at zero.

    Parameters
    ----------
    weights
        A built Keras model, of which all prunable weights are taken; an array; or a mapping of arrays.
    bins
        Number of bins, or their edges, for the weights that are not zero.

    ``title``, ``ax`` and the result are those of every picture: see :mod:`course_lib.plots`.

    Raises
    ------
    ValueError
        There is no weight, or one that is not finite.

    Examples
    --------
    >>> ax = histogram(np.array([0.0, 0.0, 0.0, -1.0, 2.0]))
    >>> ax.get_legend().get_texts()[1].get_text()
    'exactly 0: 3 of 5 weights (60.0%)'
    """
    if hasattr(weights, "layers"):
        weights = {path: kernel.numpy() for path, kernel in prunable(weights).items()}
    arrays = weights.values() if isinstance(weights, Mapping) else [weights]
    values = np.concatenate([np.ravel(array) for array in arrays] or [np.empty(0)]).astype(float)
    if not values.size or not np.isfinite(values).all():
        raise ValueError(
            f"weights holds {values.size} values, of which {np.isfinite(values).sum()} are finite; all must."
        )
    zeros = int(np.count_nonzero(values == 0))
    ax = axes(ax)
    if zeros < values.size:
        ax.hist(values[values != 0], bins, color=BLUE, label=f"not 0: {values.size - zeros:,}")
    if zeros:
        share = f"exactly 0: {zeros:,} of {values.size:,} weights ({zeros / values.size:.1%})"
        ax.plot([0, 0], [0.5, zeros], color=ORANGE, lw=2.5, marker="D", markevery=[1], label=share)
    ax.set(xlabel="weight", ylabel="number of weights", yscale="log")
    ax.set_ylim(0.5, 30 * ax.get_ylim()[1])  # room for the legend
    ax.set_title(title, loc="left")
    ax.legend()
    return ax


def mask(kept, title="", ax=None, fold=None):
    """A mask as an image: kept weights dark, pruned ones white.

    Parameters
    ----------
    kept
        Boolean array of at least two axes, True = kept, such as ``masks["dense_1/kernel"]``. The last axis, the units,
        goes to the right; all others go down.
    fold
        Two sizes, ``(28, 28)``, for the kernel of a Dense layer that sees an image: how many connections each pixel has
        kept, at its place in the image. Channels, if there are several, are added up.

    ``title``, ``ax`` and the result are those of every picture: see :mod:`course_lib.plots`.

    Raises
    ------
    ValueError
        ``kept`` is not of booleans, has one axis, or cannot be folded so.

    Examples
    --------
    >>> kept = np.array([[True, False], [True, True], [False, False], [False, True]])
    >>> mask(kept, fold=(2, 2)).images[0].get_array().tolist()
    [[1, 2], [0, 1]]
    """
    kept = np.asarray(kept)
    if kept.dtype != bool or kept.ndim < 2:
        raise ValueError(f"kept is {kept.dtype} of shape {kept.shape}; it must be bool, with at least two axes.")
    rows = kept.reshape(-1, kept.shape[-1])
    if fold is None:
        ax = axes(ax)
        ax.imshow(rows, cmap="Greys", vmin=0, vmax=1, aspect="auto")  # drawn smaller, grey is a share
        ax.set(xlabel="unit", ylabel="input")
    else:
        height, width = fold
        if len(rows) % (height * width):
            raise ValueError(
                f"fold is {tuple(fold)}, but the mask has {len(rows)} inputs; they do not fill such an image."
            )
        survivors = rows.reshape(height, width, -1).sum(axis=-1)
        ax = axes(ax, figsize=(4.6, 3.8))
        image = ax.imshow(survivors, cmap="cividis", vmin=0, interpolation="nearest")
        ax.figure.colorbar(image, ax=ax, label="connections kept")
        ax.set(xlabel="column (pixels)", ylabel="row (pixels)")
    ax.set_title(title, loc="left")
    return ax
