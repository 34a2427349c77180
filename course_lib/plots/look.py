"""The look that all pictures share.

The colours are those of Okabe and Ito, "Color Universal Design" (2008); lines differ in dash and marker as well as in
colour, so that they can be told apart in grey.
"""

from itertools import cycle, islice

__all__ = ["BLUE", "GREEN", "GREY", "ORANGE", "PINK", "SKY", "axes", "legend_beside", "lines", "style"]

BLUE, ORANGE, GREEN, PINK, SKY, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#999999"
COLORS = BLUE, ORANGE, GREEN, PINK, SKY, GREY
DASHES = "-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1))
MARKERS = "o", "s", "^", "D", "v", "P", "X"  # one more than the colours: 42 lines before two look alike


def style():
    """Use the course's look for all figures that follow: white ground, large enough letters, no frame on legends."""
    import matplotlib.pyplot as plt
    from cycler import cycler

    plt.rcParams.update(
        {
            "axes.prop_cycle": cycler(color=COLORS) + cycler(linestyle=DASHES),
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


def lines(n) -> list:
    """``n`` looks for lines, as keywords for ``plot``."""
    looks = zip(cycle(COLORS), cycle(DASHES), cycle(MARKERS), strict=False)
    return [
        {"color": color, "linestyle": dash, "marker": marker, "markersize": 7, "markeredgecolor": "white"}
        for color, dash, marker in islice(looks, n)
    ]


def axes(ax, **figure):
    """The axes given, or those of a new figure."""
    import matplotlib.pyplot as plt

    return ax or plt.subplots(**figure, layout="constrained")[1]


def legend_beside(ax, title=None):
    """A legend that covers nothing."""
    ax.legend(title=title, loc="upper left", bbox_to_anchor=(1.01, 1), alignment="left", handlelength=3.5)
