"""For each kind of Keras layer, one rule: which units come out of it, and where their weights lie."""

from course_lib.shrink.rules import attention, elementwise, kernels, norms, recurrent, shapes

__all__ = ["attention", "elementwise", "kernels", "norms", "recurrent", "shapes"]
