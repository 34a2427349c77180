import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize, minimize_scalar

from course_lib import regularizers
from course_lib.regularizers import group_soft_threshold, soft_threshold


@pytest.mark.parametrize("w", [-2.0, -0.3, 0.0, 0.3, 0.5, 1.7])
def test_soft_threshold_minimises_what_it_is_the_proximal_operator_of(w):
    found = minimize_scalar(lambda v: 0.5 * (v - w) ** 2 + 0.5 * abs(v), bounds=(-3, 3), method="bounded").x
    assert soft_threshold(w, 0.5) == pytest.approx(found, abs=1e-4)


def test_group_soft_threshold_minimises_what_it_is_the_proximal_operator_of():
    w = np.random.default_rng(0).normal(size=(3, 2))

    def objective(v):
        v = v.reshape(3, 2)
        return 0.5 * np.sum((v - w) ** 2) + 0.4 * np.sum(np.linalg.norm(v, axis=0))

    found = minimize(
        objective, w.ravel(), method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-12, "maxiter": 9999}
    )
    np.testing.assert_allclose(group_soft_threshold(w, 0.4, axis=0), found.x.reshape(3, 2), atol=1e-4)


@given(arrays("float32", (4, 3), elements=st.floats(-9, 9, width=32)), st.floats(0, 5, width=32))
def test_soft_threshold_zeroes_the_small_and_moves_the_rest_by_t(w, t):
    shrunk = soft_threshold(w, t)
    assert shrunk.dtype == np.float32 and shrunk.shape == w.shape
    assert np.all(shrunk[np.abs(w) <= t] == 0)
    assert not np.signbit(shrunk[shrunk == 0]).any(), "a negative zero is four different bytes in a file"
    np.testing.assert_allclose((np.abs(w) - np.abs(shrunk))[np.abs(w) > t], t, rtol=1e-4, atol=1e-6)


def test_a_group_vanishes_as_one_and_a_group_of_zeros_stays_zero():
    w = np.array([[3.0, 0.1, 0.0], [4.0, 0.1, 0.0]])
    np.testing.assert_allclose(group_soft_threshold(w, 1.0, axis=0), [[2.4, 0, 0], [3.2, 0, 0]])
    assert np.all(group_soft_threshold(w, 0.0, axis=0) == w)


def test_groups_of_filters_are_groups_of_columns_of_the_unfolded_kernel():
    w = np.random.default_rng(1).normal(size=(3, 3, 2, 5))
    unfolded = group_soft_threshold(w.reshape(18, 5), 2.0, axis=0)
    np.testing.assert_allclose(group_soft_threshold(w, 2.0, axis=(0, 1, 2)).reshape(18, 5), unfolded)


@pytest.mark.parametrize("operator", [soft_threshold, lambda w, t: group_soft_threshold(w, t, 0)])
def test_operators_agree_on_arrays_tensors_variables_and_inside_a_graph(operator):
    import tensorflow as tf

    w = np.random.default_rng(2).normal(size=(4, 3)).astype("float32")
    expected = operator(w, np.float32(0.5))
    for tensor in (keras.ops.convert_to_tensor(w), keras.Variable(w)):
        np.testing.assert_allclose(operator(tensor, 0.5), expected, atol=1e-6)
    graph = tf.function(operator)(tf.constant(w), tf.constant(0.5))
    np.testing.assert_allclose(graph, expected, atol=1e-6)


@pytest.mark.parametrize("t", [-0.1, float("nan")])
def test_a_threshold_below_zero_is_refused(t):
    with pytest.raises(ValueError, match=r"t is .*at least 0"):
        soft_threshold(np.ones(3), t)
    with pytest.raises(ValueError, match=r"t is .*at least 0"):
        group_soft_threshold(np.ones((3, 2)), t, axis=0)


def test_the_penalties_are_their_formulas():
    w = np.random.default_rng(3).normal(size=(4, 3)).astype("float32")
    values = {
        regularizers.L1(0.1): 0.1 * np.abs(w).sum(),
        regularizers.L2(0.1): 0.1 * np.square(w).sum(),
        regularizers.L1L2(0.1, 0.2): 0.1 * np.abs(w).sum() + 0.2 * np.square(w).sum(),
        regularizers.BatchNormGamma(0.1): 0.1 * np.abs(w).sum(),
        regularizers.GroupLasso(0.1, axis=0): 0.1 * sum(np.linalg.norm(column) for column in w.T),
    }
    for penalty, value in values.items():
        assert float(penalty(w)) == pytest.approx(value, rel=1e-5)


def test_the_group_lasso_has_a_gradient_everywhere_and_it_is_the_direction_of_the_group():
    import tensorflow as tf

    w = tf.Variable([[3.0, 0.0], [4.0, 0.0]])
    with tf.GradientTape() as tape:
        loss = regularizers.GroupLasso(1.0, axis=0)(w)
    np.testing.assert_allclose(tape.gradient(loss, w), [[0.6, 0.0], [0.8, 0.0]], atol=1e-6)


def test_layers_with_our_penalties_are_saved_and_loaded(tmp_path):
    x = keras.Input((4,))
    h = keras.layers.Dense(3, kernel_regularizer=regularizers.GroupLasso(0.1, (0,)))(x)
    model = keras.Model(x, keras.layers.BatchNormalization(gamma_regularizer=regularizers.BatchNormGamma(0.2))(h))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert [float(loss) for loss in loaded.losses] == pytest.approx([float(loss) for loss in model.losses])
    assert float(loaded.losses[1]) == pytest.approx(0.2 * 3)  # γ starts at 1


@pytest.mark.parametrize("strength", [-1, float("nan"), float("inf")])
def test_a_bad_strength_is_refused(strength):
    with pytest.raises(ValueError, match="strength is"):
        regularizers.GroupLasso(strength, axis=0)
    with pytest.raises(ValueError, match="strength is"):
        regularizers.BatchNormGamma(strength)


@pytest.mark.parametrize(
    ("dtype", "size"), [("float16", 300.0), ("float16", 1e-4), ("float32", 1e30), ("float32", 1e-30)]
)
def test_the_norm_of_a_group_neither_overflows_nor_vanishes(dtype, size):
    w = np.array([[3.0, 1.0], [4.0, 1.0]]) * size
    shrunk = group_soft_threshold(w.astype(dtype), np.array(size, dtype), axis=[0])
    assert shrunk.dtype == dtype
    np.testing.assert_allclose(shrunk.astype(float), w * (1 - size / np.linalg.norm(w, axis=0)), rtol=5e-3)
    np.testing.assert_array_equal(group_soft_threshold(w.astype(dtype), 0, axis=0), w.astype(dtype))


@pytest.mark.parametrize("kind", ["array", "tensor"])
def test_a_group_of_many_halves_has_a_norm(kind):
    w = np.full((100_000, 1), 0.1, "float16")  # the sum of 100,000 equal squares is not a float16
    w = keras.ops.convert_to_tensor(w) if kind == "tensor" else w
    shrunk = np.asarray(group_soft_threshold(w, np.float16(10), axis=0), float)
    np.testing.assert_allclose(shrunk, 0.1 * (1 - 10 / (0.1 * np.sqrt(100_000))), rtol=5e-3)


@pytest.mark.parametrize("convert", [np.asarray, keras.ops.convert_to_tensor])
def test_a_group_that_vanishes_leaves_no_negative_zeros_and_nan_stays_to_be_seen(convert):
    w = convert([[-0.1, np.nan, -0.0], [-0.2, 1.0, -0.0]])
    shrunk = np.asarray(group_soft_threshold(w, 1.0, axis=0))
    assert np.all(shrunk[:, [0, 2]] == 0) and not np.signbit(shrunk[:, [0, 2]]).any()
    assert np.isnan(shrunk[:, 1]).all()
