"""Cut: remove units and layers for real, so that the model has less to compute and not only more zeros.

groups(model)                                      which units must go together
keep_highest(model, scores, fraction)              from scores of units to those that are kept
remove_units(model, {layer name: kept indices})    without the units that are not kept
shrink(model, masks)                               without those that the masks leave nothing to do
remove_layers(model, names)                        without whole layers or residual blocks

Each of the last three gives a new, ordinary Keras model with the same names. ``rule`` teaches it a layer of your own.
"""

from course_lib.shrink.channels import Axis, Channels, Cut, rule
from course_lib.shrink.choose import keep_highest
from course_lib.shrink.groups import Group, Groups, groups
from course_lib.shrink.layers import remove_layers
from course_lib.shrink.units import remove_units, shrink

__all__ = [
    "Axis",
    "Channels",
    "Cut",
    "Group",
    "Groups",
    "groups",
    "keep_highest",
    "remove_layers",
    "remove_units",
    "rule",
    "shrink",
]
