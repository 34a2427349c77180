import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import spearmanr

from course_lib import scores
from course_lib.scores.hessian import hessian, split
from course_lib.variables import prunable


def linear(w):
    """y = x w with the mean squared error: a quadratic with H = 2 xᵀx / n."""
    x = keras.Input((len(w),))
    model = keras.Model(x, keras.layers.Dense(1, use_bias=False, name="dense")(x))
    model.get_layer("dense").kernel.assign(np.reshape(w, (-1, 1)))
    model.compile(loss="mse")
    return model


def net(loss="mse", units=(4, 2)):
    keras.utils.set_random_seed(0)
    hidden = [keras.layers.Dense(n, activation="tanh", name=f"dense_{i}") for i, n in enumerate(units)]
    model = keras.Sequential([keras.Input((3,)), *hidden, keras.layers.BatchNormalization(), keras.layers.Dropout(0.5)])
    model.compile(loss=loss)
    return model


def points(n=20, outputs=2):
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, 3)).astype("float32"), rng.normal(size=(n, outputs)).astype("float32")


def numerical_hessian(model, x, y, step=1e-2):
    """Central differences of the gradient that TensorFlow gives, one weight after the other."""
    variables = [kernel.value for kernel in prunable(model).values()]

    def gradient():
        with tf.GradientTape() as tape:
            value = model.compute_loss(x=x, y=y, y_pred=model(x))
        return np.concatenate([g.numpy().ravel() for g in tape.gradient(value, variables)])

    rows = []
    for variable in variables:
        start = variable.numpy()
        for place in np.ndindex(start.shape):
            both = []
            for sign in (1, -1):
                moved = start.copy()
                moved[place] += sign * step
                variable.assign(moved)
                both.append(gradient())
            rows.append((both[0] - both[1]) / (2 * step))
        variable.assign(start)
    return np.array(rows)


def test_obd_with_numbers_by_hand_drops_the_weight_that_magnitude_keeps():
    model = linear([1.0, 0.2])
    x = np.array([[1.0, 0.0], [0.0, 10.0]], "float32")  # H = diag(1, 100)
    found = scores.obd(model, (x, x @ [[1.0], [0.2]]))["dense/kernel"].ravel()
    np.testing.assert_allclose(found, [0.5, 2.0], rtol=1e-6)
    assert np.argmin(found) == 0 and np.argmin(scores.magnitude(model)["dense/kernel"]) == 1


@pytest.mark.parametrize("loss", ["mse", "categorical_crossentropy"])
def test_the_hessian_is_the_finite_difference_of_the_gradient(loss):
    model, (x, y) = net(loss), points()
    y = keras.ops.softmax(y).numpy()
    if loss != "mse":
        model = keras.Sequential([model, keras.layers.Softmax()])
        model.compile(loss=loss)
    expected = numerical_hessian(model, x, y)
    np.testing.assert_allclose(hessian(model, (x, y)), expected, rtol=0.02, atol=2e-3)
    w = np.concatenate([kernel.numpy().ravel() for kernel in prunable(model).values()])
    found = np.concatenate([array.ravel() for array in scores.obd(model, (x, y)).values()])
    np.testing.assert_allclose(found, 0.5 * w**2 * np.diag(expected), rtol=0.02, atol=2e-3)


def test_hutchinsons_estimate_repeats_under_a_seed_and_converges_to_the_exact_diagonal():
    model, data = net(), points()

    def error(samples, seed=0):
        estimate = scores.obd(model, data, exact=False, samples=samples, seed=seed)
        return np.sqrt(sum(np.sum((estimate[path] - exact[path]) ** 2) for path in exact))

    exact = scores.obd(model, data)
    few, many = (np.mean([error(samples, seed) for seed in range(5)]) for samples in (10, 1000))
    assert 5 < few / many < 20, "100 times the samples, a tenth of the error"
    assert error(10, seed=1) == error(10, seed=1) != error(10, seed=2)


def test_above_the_limit_the_diagonal_is_estimated_and_the_caller_may_choose(monkeypatch):
    model, data = net(), points()
    exact, estimate = scores.obd(model, data, exact=True), scores.obd(model, data, exact=False, samples=3)
    monkeypatch.setattr("course_lib.scores.hessian.EXACT", 19)  # the model has 20 weights
    for path in exact:
        np.testing.assert_array_equal(scores.obd(model, data, samples=3)[path], estimate[path])
        np.testing.assert_array_equal(scores.obd(model, data, exact=True)[path], exact[path])
        assert not np.allclose(exact[path], estimate[path])


@pytest.mark.parametrize("options", [dict(exact=True), dict(exact=False, samples=3)])
def test_the_size_of_batches_does_not_matter_and_nothing_is_changed(options):
    model, (x, y) = net(), points(10)
    before, compiled = model.get_weights(), model.loss
    whole = scores.obd(model, (x, y), **options)
    batches = scores.obd(model, tf.data.Dataset.from_tensor_slices((x, y)).batch(4), **options)
    for path in whole:
        np.testing.assert_allclose(whole[path], batches[path], rtol=1e-3, atol=1e-6)
        assert whole[path].shape == tuple(prunable(model)[path].shape)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert model.loss is compiled and all(layer.trainable for layer in model.layers)


def test_a_bad_argument_is_named():
    model, data = net(), points()
    with pytest.raises(ValueError, match="samples is 0"):
        scores.obd(model, data, exact=False, samples=0)
    with pytest.raises(ValueError, match=r"data is None.*give"):
        scores.obd(model, None)
    with pytest.raises(ValueError, match=r"has no loss; call model\.compile"):
        scores.obd(keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]), data)


@pytest.fixture(scope="module")
def trained():
    """A net of 3-6-1 near a minimum: y is made by a smaller net, and full-batch Adam finds it."""
    keras.utils.set_random_seed(1)
    dense = [keras.layers.Dense(6, activation="tanh"), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((3,)), *dense])
    model.compile("adam", loss="mse")
    rng = np.random.default_rng(1)
    x = rng.normal(size=(64, 3)).astype("float32") * np.array([2.0, 1.0, 0.2], "float32")
    y = np.tanh(x @ rng.normal(size=(3, 3))) @ rng.normal(size=(3, 1)) + 0.1 * rng.normal(size=(64, 1))
    x, y = tf.constant(x), tf.constant(y.astype("float32"))
    adam = keras.optimizers.Adam(0.02)
    adam.build(model.trainable_variables)

    @tf.function
    def train():
        for _ in tf.range(2000):
            with tf.GradientTape() as tape:
                value = model.compute_loss(x=x, y=y, y_pred=model(x))
            adam.apply(tape.gradient(value, [v.value for v in model.trainable_variables]))

    train()
    return model, (x.numpy(), y.numpy())


def loss_without(model, x, y, path, place):
    kernel = prunable(model)[path]
    start = kernel.numpy()
    pruned = start.copy()
    pruned[place] = 0
    kernel.assign(pruned)
    value = float(model.compute_loss(x=x, y=y, y_pred=model(x)))
    kernel.assign(start)
    return value


def test_second_order_predicts_what_leaving_a_weight_out_costs(trained):
    model, (x, y) = trained
    places = [(path, place) for path, kernel in prunable(model).items() for place in np.ndindex(tuple(kernel.shape))]
    at_the_minimum = float(model.compute_loss(x=x, y=y, y_pred=model(x)))
    costs = [abs(loss_without(model, x, y, *where) - at_the_minimum) for where in places]
    rank = {}
    for name in ("magnitude", "taylor", "fisher", "obd", "obs"):
        score = getattr(scores, name)
        found = score(model, (x, y))
        rank[name] = spearmanr(costs, [found[path][place] for path, place in places]).statistic
    print("rank correlation with the cost of leaving out:", {name: round(float(r), 2) for name, r in rank.items()})
    assert rank["obd"] > 0.9 and rank["fisher"] > rank["magnitude"] and rank["obd"] > rank["magnitude"]
    assert rank["obd"] > rank["taylor"], "at a minimum the gradient says little"


def test_obs_predicts_the_cost_after_the_others_made_up(trained):
    model, (x, y) = trained
    minimum = float(model.compute_loss(x=x, y=y, y_pred=model(x)))
    found = scores.obs(model, (x, y), damping=1e-3)
    start = {path: kernel.numpy() for path, kernel in prunable(model).items()}
    predicted, with_update, without = [], [], []
    places = [(path, place) for path, w in start.items() for place in np.ndindex(w.shape)]
    small = sorted(places, key=lambda where: found[where[0]][where[1]])[:8]  # where a quadratic is near the truth
    for path, place in small:
        mask = np.ones(start[path].shape, bool)
        mask[place] = False
        for other, w in scores.obs_update(model, (x, y), {path: mask}, damping=1e-3).items():
            prunable(model)[other].assign(w)
        with_update.append(float(model.compute_loss(x=x, y=y, y_pred=model(x))) - minimum)
        for other, w in start.items():
            prunable(model)[other].assign(w)
        without.append(loss_without(model, x, y, path, place) - minimum)
        predicted.append(found[path][place])
    print("predicted", np.round(predicted, 4), "with", np.round(with_update, 4), "without", np.round(without, 4))
    assert np.mean(with_update) < 0.5 * np.mean(without)


def test_split_gives_every_variable_its_part():
    model = net()
    parts = split(model, np.arange(20.0))
    assert [part.shape for part in parts.values()] == [(3, 4), (4, 2)]
    np.testing.assert_array_equal(np.concatenate([part.ravel() for part in parts.values()]), np.arange(20))
