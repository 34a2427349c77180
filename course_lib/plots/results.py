"""Pictures of what pruning did: to the layers, to the loss, to the accuracy."""

import numpy as np

from course_lib.plots.look import GREY, ORANGE, SKY, axes, legend_beside, lines

__all__ = ["sensitivity", "sparsity_by_layer", "trade_off"]

X_AXES = {
    "sparsity": "sparsity (fraction of zeros)",
    "ratio": "compression ratio (weights before ÷ weights kept)",
}


def sparsity_by_layer(masks, title="", ax=None):
    """A bar for each tensor, as long as the tensor is sparse, and a dashed line for the whole model.

    Parameters
    ----------
    masks
        {variable path: boolean array, True = kept}, such as ``Masks``.

    ``title``, ``ax`` and the result are those of every picture: see :mod:`course_lib.plots`.

    Raises
    ------
    ValueError
        There are no masks.

    Examples
    --------
    >>> ax = sparsity_by_layer({"a": np.array([True, False]), "b": np.array([False, False])})
    >>> [float(bar.get_width()) for bar in ax.patches]
    [50.0, 100.0]
    """
    if not masks:
        raise ValueError("masks is empty; give {variable path: boolean array}, such as masks.from_scores makes.")
    kept, sizes = (np.array([f(mask) for mask in masks.values()]) for f in (np.count_nonzero, np.size))
    ax = axes(ax, figsize=(6.4, 1.2 + 0.32 * len(masks)))
    ax.barh(list(masks), 100 * (1 - kept / sizes), color=SKY, height=0.7)
    for row, (n, size) in enumerate(zip(kept, sizes, strict=True)):
        ax.text(103, row, f"{1 - n / size:.1%}: {n:,} of {size:,} kept", va="center", fontsize=9)
    whole = 100 * (1 - kept.sum() / sizes.sum())
    ax.axvline(whole, color=ORANGE, ls="--", lw=1.5, zorder=0)
    ax.set(xlabel=f"sparsity (% of weights that are zero); dashed: the whole model, {whole:.1f}%")
    ax.set(xlim=(0, 165), xticks=range(0, 101, 20))  # room for the text
    ax.invert_yaxis()  # the first layer on top
    ax.set_title(title, loc="left")
    return ax


def sensitivity(scan, title="", ax=None):
    """The loss when one tensor alone is pruned, a line a tensor; the dotted line is the loss of the model as it is.

    Parameters
    ----------
    scan
        The result of ``search.sensitivity``: ``.sparsities``, ``.losses`` by path, ``.loss``.

    ``title``, ``ax`` and the result are those of every picture: see :mod:`course_lib.plots`.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> scan = SimpleNamespace(sparsities=(0.5, 0.9), losses={"dense/kernel": (0.4, 1.0)}, loss=0.3)
    >>> [line.get_label() for line in sensitivity(scan).lines]
    ['as it is: 0.300', 'dense/kernel']
    """
    ax = axes(ax)
    ax.axhline(scan.loss, color=GREY, ls=":", label=f"as it is: {scan.loss:.3f}")
    for (path, losses), look in zip(scan.losses.items(), lines(len(scan.losses)), strict=True):
        ax.plot(scan.sparsities, losses, label=path, **look)
    ax.set(xlabel="sparsity of this tensor alone (fraction of zeros)", ylabel="loss")
    ax.set_title(title, loc="left")
    legend_beside(ax)
    return ax


def trade_off(curves, title="", ax=None, x="sparsity", y="accuracy (fraction right)"):
    """What each method reaches at each sparsity: the mean over seeds, with a bar of one standard deviation each way.

    Parameters
    ----------
    curves
        {method: {sparsity or ratio: the values of all seeds}}, for example
        ``{"magnitude": {0.9: [0.89, 0.88, 0.90], 0.95: [0.87, 0.86, 0.88]}}``. The deviation is that of a sample
        (n − 1); a single value has no bar.
    x
        What the keys are: ``"sparsity"``, or ``"ratio"``, weights before ÷ weights kept, on a logarithmic scale.
    y
        What the values are, with their unit.

    ``title``, ``ax`` and the result are those of every picture: see :mod:`course_lib.plots`.

    Raises
    ------
    ValueError
        ``x`` is another word; there are no curves, or a point has no value.

    Examples
    --------
    >>> ax = trade_off({"magnitude": {0.5: [0.8, 0.9], 0.9: [0.7, 0.8]}})
    >>> ax.lines[0].get_xydata().round(2).tolist()
    [[0.5, 0.85], [0.9, 0.75]]
    """
    if x not in X_AXES:
        raise ValueError(f"x is {x!r}; choose {' or '.join(map(repr, X_AXES))}.")
    empty = [method for method, curve in curves.items() if not curve or any(np.size(v) == 0 for v in curve.values())]
    if empty or not curves:
        raise ValueError(f"curves holds no value for {empty or 'any method'}; give {{method: {{sparsity: [values]}}}}.")
    ax = axes(ax)
    for (method, curve), look in zip(curves.items(), lines(len(curves)), strict=True):
        at = sorted(curve)
        means = [np.mean(curve[point]) for point in at]
        spreads = [np.std(curve[point], ddof=1) if np.size(curve[point]) > 1 else 0.0 for point in at]
        ax.errorbar(at, means, spreads, label=method, capsize=3, elinewidth=1, **look)
    ax.set(xlabel=X_AXES[x], ylabel=y)
    if x == "ratio":
        ticks = sorted({point for curve in curves.values() for point in curve})
        ax.set_xscale("log")
        ax.set_xticks(ticks, [f"{tick:g}×" for tick in ticks])
        ax.minorticks_off()
    ax.set_title(title, loc="left")
    seeds = max(np.size(values) for curve in curves.values() for values in curve.values())
    legend_beside(ax, title=f"mean ± std, {seeds} seeds" if seeds > 1 else None)
    return ax
