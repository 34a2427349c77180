"""What arguments of many functions must be."""

from numbers import Real

__all__ = ["whole"]


def whole(least, **named):
    """Refuse an argument that is not a whole number, or is below the least.

    Examples
    --------
    >>> whole(1, rounds=3)
    >>> whole(1, rounds=2.5)
    Traceback (most recent call last):
    ValueError: rounds is 2.5; it must be a whole number, at least 1.
    """
    for name, value in named.items():
        if isinstance(value, bool) or not isinstance(value, Real) or value % 1 != 0 or value < least:
            raise ValueError(f"{name} is {value!r}; it must be a whole number, at least {least}.")
