"""Pictures: one look for the whole course, readable by colour-blind eyes and on a dark page.

The colours are those of Okabe and Ito, "Color Universal Design" (2008); lines differ in dash as well as in colour.
"""

import numpy as np

__all__ = ["BLUE", "GREEN", "GREY", "ORANGE", "PINK", "SKY", "matrix", "style"]

BLUE, ORANGE, GREEN, PINK, SKY, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#999999"


def style():
    """Use the course's look for all figures that follow: white ground, large enough letters, no frame on legends."""
    import matplotlib.pyplot as plt
    from cycler import cycler

    plt.rcParams.update(
        {
            "axes.prop_cycle": cycler(color=[BLUE, ORANGE, GREEN, PINK, SKY, GREY])
            + cycler(linestyle=["-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1))]),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlelocation": "left",
            "axes.titlesize": 11,
            "figure.facecolor": "white",  # also on a dark page
            "figure.figsize": (6.4, 3.4),
            "figure.constrained_layout.use": True,
            "legend.frameon": False,
            "savefig.dpi": 120,
        }
    )


def matrix(values, title="", ax=None, limit=None):
    """Draw a small matrix as coloured squares with its numbers in them; an exact zero is an empty square.

    Parameters
    ----------
    values
        Array (rows, columns), up to about 10 × 10.
    title
        The finding.
    ax
        Where to draw; a new figure if None.
    limit
        The absolute value with the darkest colour; the largest of ``values`` if None. Give the same to matrices
        that are compared.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        ``values`` does not have two axes.

    Examples
    --------
    >>> matrix([[1.0, 0.0], [-2.0, 0.5]], title="one zero").get_title(loc="left")
    'one zero'
    """
    import matplotlib.pyplot as plt

    values = np.asarray(values, float)
    if values.ndim != 2:
        raise ValueError(f"values has the shape {values.shape}; a matrix has two axes.")
    limit = limit or np.abs(values).max() or 1.0
    if ax is None:
        _, ax = plt.subplots(figsize=(0.62 * values.shape[1] + 0.4, 0.62 * values.shape[0] + 0.6))
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
