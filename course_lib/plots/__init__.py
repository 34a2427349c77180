"""Pictures: one look for the whole course, readable by colour-blind eyes and on a dark page.

Every picture has a ``title``, which should say its finding, and is drawn on the axes ``ax``, those of a new figure if
None. It returns them, a ``matplotlib.axes.Axes``: what is not to your liking can be changed.
"""

from course_lib.plots.deployed import changed, waterfall
from course_lib.plots.look import BLUE, GREEN, GREY, ORANGE, PINK, SKY, style
from course_lib.plots.results import sensitivity, sparsity_by_layer, trade_off
from course_lib.plots.sharing import groups
from course_lib.plots.tensors import histogram, mask, matrix

__all__ = [
    "BLUE",
    "GREEN",
    "GREY",
    "ORANGE",
    "PINK",
    "SKY",
    "changed",
    "groups",
    "histogram",
    "mask",
    "matrix",
    "sensitivity",
    "sparsity_by_layer",
    "style",
    "trade_off",
    "waterfall",
]
