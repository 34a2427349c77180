import numpy as np
import pytest

from course_lib.deploy.arrays import named_arrays

TWO = {"zeta": (3,), "alpha": (2, None)}


def test_a_list_is_taken_in_the_order_of_the_inputs():
    zeta, alpha = np.zeros((5, 3)), np.ones((5, 2, 7))
    named = named_arrays("x", [zeta, alpha], TWO)
    assert list(named) == ["zeta", "alpha"]
    assert named["zeta"] is zeta and named["alpha"] is alpha


def test_a_dict_is_put_in_the_order_of_the_inputs():
    assert list(named_arrays("x", {"alpha": np.ones((5, 2, 7)), "zeta": np.zeros((5, 3))}, TWO)) == ["zeta", "alpha"]


@pytest.mark.parametrize(
    ("x", "says"),
    [
        (np.zeros((4, 3)), r"x has shape \(4, 3\) .* 'image'; give numbers of shape \(n, 2\)"),
        (np.zeros(2), r"shape \(2,\)"),
        (np.zeros((0, 2)), r"shape \(0, 2\) .* at least one row"),
        (np.array([["a", "b"]]), r"type <U1 .* give numbers"),
        (None, "type object"),
        ({"picture": np.zeros((4, 2))}, r"x is \['picture'\], but the model has the inputs \['image'\]"),
    ],
)
def test_a_wrong_array_is_named(x, says):
    with pytest.raises(ValueError, match=says):
        named_arrays("x", x, {"image": (2,)})


@pytest.mark.parametrize(
    ("x", "says"),
    [
        ([np.zeros((5, 3))], "a list, but the model has the inputs"),
        (np.zeros((5, 3)), "a ndarray, but the model has the inputs"),
        ([np.zeros((5, 3)), np.zeros((4, 2, 1))], "different numbers of rows, {'zeta': 5, 'alpha': 4}"),
    ],
)
def test_every_input_needs_its_array(x, says):
    with pytest.raises(ValueError, match=says):
        named_arrays("x", x, TWO)
