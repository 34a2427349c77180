"""A picture of which layers share units."""

from course_lib.plots.look import BLUE, GREEN, ORANGE, axes, legend_beside

__all__ = ["groups"]

ROLES = {  # role: (what it says, colour, marker), in the order of drawing
    "reads": ("reads them", ORANGE, ">"),
    "passes": ("scales each", GREEN, "s"),
    "makes": ("makes the units", BLUE, "o"),
}


def groups(found, title="", ax=None):
    """A column for each group of units, a row for each layer, and in it what the layer has to do with the group.

    Parameters
    ----------
    found
        The result of ``shrink.groups``.

    ``title``, ``ax`` and the result are those of every picture: see :mod:`course_lib.plots`.

    Raises
    ------
    ValueError
        There are no groups.

    Examples
    --------
    >>> from course_lib import models, shrink
    >>> ax = groups(shrink.groups(models.small_cnn()), "Each layer's units are read by the next")
    >>> [label.get_text() for label in ax.get_yticklabels()], ax.get_xticklabels()[0].get_text()
    (['conv_1', 'conv_2', 'dense_1', 'output'], 'conv_1: 16')
    """
    if not found:
        raise ValueError("found has no group: see shrink.groups(model).fixed for why the units cannot be removed.")
    layers = [name for name in found.layers if any(name in group.layers for group in found)]
    ax = axes(ax, figsize=(3.2 + 0.36 * len(found), 1.8 + 0.24 * len(layers)))
    for role, (says, color, marker) in ROLES.items():
        at = [(column, layers.index(name)) for column, g in enumerate(found) for name in getattr(g, role)]
        if at:
            ax.scatter(*zip(*at, strict=True), s=60, color=color, marker=marker, label=says, zorder=2)
    for column, g in enumerate(found):
        rows = [layers.index(name) for role in ROLES for name in getattr(g, role)]
        ax.plot([column, column], [min(rows), max(rows)], color="0.8", linewidth=1, linestyle="-", zorder=1)
    ax.set_xticks(range(len(found)), [f"{g.name}: {g.units}" for g in found], rotation=90, fontsize=8)
    ax.set_yticks(range(len(layers)), layers, fontsize=8)
    ax.set(xlabel="group of units, and how many", ylabel="layer", xlim=(-0.6, len(found) - 0.4))
    ax.set_ylim(len(layers) - 0.4, -0.6)  # the first layer on top
    ax.set_title(title, loc="left")
    legend_beside(ax)
    return ax
