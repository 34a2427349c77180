"""Cut: remove units and layers for real, so that the model has less to compute and not only more zeros.

groups(model)  →  remove_units(model, {layer name: kept indices})  or  shrink(model, masks)  or  remove_layers(model, names)
"""

from course_lib.shrink.channels import Axis, Channels, Cut, rule
from course_lib.shrink.groups import Group, Groups, groups
from course_lib.shrink.layers import remove_layers
from course_lib.shrink.units import remove_units, shrink

__all__ = ["Axis", "Channels", "Cut", "Group", "Groups", "groups", "remove_layers", "remove_units", "rule", "shrink"]
