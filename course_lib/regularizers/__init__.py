"""Penalties on weights, and the proximal operators that turn them into exact zeros.

``L1``, ``L2`` and ``L1L2`` are Keras's own; ``GroupLasso`` drives whole rows, columns or filters to
zero together, ``BatchNormGamma`` the channels behind a BatchNormalization.
A penalty is added to the loss: ``layers.Dense(300, kernel_regularizer=regularizers.L1(1e-4))``. The operators
``soft_threshold`` and ``group_soft_threshold`` act on a weight after the step: see ``training.Proximal``.
"""

from course_lib.regularizers.proximal import group_soft_threshold, soft_threshold

__all__ = ["L1", "L1L2", "L2", "BatchNormGamma", "GroupLasso", "group_soft_threshold", "soft_threshold"]


def __getattr__(name):  # the penalties are Keras objects, and the operators must not pay for importing Keras
    if name in __all__:
        from course_lib.regularizers import penalties

        return getattr(penalties, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():  # what Tab offers, and what the reference lists
    return __all__
