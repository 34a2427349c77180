"""Pictures of a model that is shipped: the way of its bytes, and the inputs that it sees otherwise than before."""

import numpy as np

from course_lib.plots.look import BLUE, GREY, ORANGE, axes

__all__ = ["changed", "waterfall"]


def waterfall(start, steps, title="", ax=None):
    """From the dense file to the last one, step by step, and beside each step what it alone would have given.

    A full bar leads from the size before the step to the size after it; the thin bar below it, from the dense size to
    that after this step and no other. The scale is logarithmic: bars of one length are equal factors, and the factors
    of the full bars multiply to the whole. A step whose thin bar is the shorter gains by those before it.

    Parameters
    ----------
    start
        Bytes before the first step.
    steps
        {name of the step: (bytes after it and all before it, bytes after it alone)}, in order.

    ``title``, ``ax`` and the result are those of every picture: see :mod:`course_lib.plots`.

    Raises
    ------
    ValueError
        There are no steps, or a size that is not above 0.

    Examples
    --------
    >>> ax = waterfall(1_000_000, {"prune 90%": (400_000, 400_000), "cluster": (100_000, 200_000)})
    >>> [text.get_text() for text in ax.texts][-2:]
    ['100.0 kB (÷ 4.0)', 'alone 200.0 kB (÷ 5.0)']
    """
    from matplotlib.ticker import LogLocator

    sizes = [start, *(size for pair in steps.values() for size in pair)]
    if not steps or min(sizes) <= 0:
        raise ValueError(f"start is {start!r} and steps {steps!r}; give at least one step, and bytes above 0.")
    ax = axes(ax, figsize=(7.6, 1.4 + 0.62 * len(steps)))
    before = start
    for row, (after, alone) in enumerate(steps.values()):
        _bar(ax, row - 0.14, 0.4, before, after, "", color=BLUE)
        _bar(ax, row + 0.26, 0.2, start, alone, "alone ", color="white", edgecolor=ORANGE, hatch="////")
        if row:
            ax.plot([before, before], [row - 0.94, row - 0.34], color=BLUE, linestyle="-", linewidth=1)
        before = after
    ax.axvline(start, color=GREY, linestyle=":", zorder=0)
    ax.set(xscale="log", xlim=(0.12 * min(sizes), 1.15 * max(sizes)))  # room for the text
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(lambda size, _: f"{size / 1000:,g}")
    ax.minorticks_off()
    whole = f"{_kilobytes(start)} to {_kilobytes(before)}, ÷ {start / before:.1f}"
    ax.set(xlabel=f"size (kB of 1,000 bytes, logarithmic); in all {whole}")
    ax.set_yticks(range(len(steps)), steps)
    ax.set_ylim(len(steps) - 0.4, -0.6)  # the first step on top
    ax.set_title(title, loc="left")
    return ax


def _bar(ax, row, height, before, after, word, **look):
    ax.barh(row, after - before, height, left=before, **look)
    says = f"{word}{_kilobytes(after)} (÷ {before / after:.1f})"
    ax.annotate(
        says, (min(before, after), row), (-5, 0), textcoords="offset points", ha="right", va="center", fontsize=9
    )


def _kilobytes(size):
    return f"{size / 1000:,.1f} kB"


def changed(found, x, title="", ax=None, names=None, y=None, most=12):
    """The images whose class changed between a model and its file, with both answers; ✓ marks the one that is right.

    Parameters
    ----------
    found
        The result of ``deploy.parity``.
    x
        The images that it was given, (n, height, width), (n, height, width, 1) or, in colour, (n, height, width, 3).
    names
        What the classes are called; their numbers if None.
    y
        The true classes (n,), if they are to be compared.
    most
        How many images are drawn at most: the first ones.

    ``title``, ``ax`` and the result are those of every picture: see :mod:`course_lib.plots`.

    Raises
    ------
    ValueError
        No class changed; ``x`` is not of images, or has too few for ``found``, as has ``y``.

    Examples
    --------
    >>> from course_lib.deploy import Parity
    >>> found = Parity(0.2, 0.75, changed=np.array([2]), answers=np.array([[1, 0]]))
    >>> ax = changed(found, np.zeros((4, 8, 8)), names=["cat", "dog"], y=[0, 0, 0, 0])
    >>> print(ax.texts[0].get_text())
    image 2
    model: dog
    file: cat ✓
    """
    x = np.asarray(x)
    if x.ndim not in (3, 4) or (x.ndim == 4 and x.shape[-1] not in (1, 3)):
        raise ValueError(f"x has the shape {x.shape}; images are (n, height, width), with 1 or 3 channels or none.")
    if not len(found.changed):
        raise ValueError("found has no image to draw: every class is the same.")
    for name, array in {"x": x, "y": y}.items():
        if array is not None and len(array) <= found.changed[-1]:
            raise ValueError(
                f"{name} has {len(array)} rows, and row {found.changed[-1]} changed; give what parity was given."
            )
    shown = found.changed[:most]
    columns = min(len(shown), 6)
    rows = -(-len(shown) // columns)
    ax = axes(ax, figsize=(1.55 * columns, 2.25 * rows + 0.4))
    for i, (index, answers) in enumerate(zip(shown, found.answers, strict=False)):
        row, column = divmod(i, columns)
        image = np.squeeze(x[index], axis=-1) if x.shape[-1] == 1 and x.ndim == 4 else x[index]
        tile = (column, column + 0.92, 1.5 * row + 0.92, 1.5 * row)
        ax.imshow(image, cmap="Greys_r", extent=tile, interpolation="nearest")
        says = _answers(index, answers, names, None if y is None else y[index])
        ax.text(column, 1.5 * row + 0.96, says, va="top", fontsize=8, linespacing=1.3)
    ax.set(xlim=(0, columns), ylim=(1.5 * rows - 0.05, -0.02), xticks=[], yticks=[])
    ax.set_xlabel(f"{len(found.changed)} changed, {len(shown)} shown", fontsize=9)
    ax.spines[:].set_visible(False)
    ax.set_title(title, loc="left")
    return ax


def _answers(index, answers, names, truth):
    def called(answer):
        return str(answer) if names is None else names[answer]

    lines = [f"image {index}"]
    lines += [
        f"{who}: {called(answer)}{' ✓' if answer == truth else ''}"
        for who, answer in zip(("model", "file"), answers, strict=True)
    ]
    return "\n".join(lines if truth is None or truth in answers else [*lines, f"truth: {called(truth)}"])
