"""Units that do nothing go by themselves: nothing reads them, or the masks have left them nothing."""

import warnings

import keras
import numpy as np
from keras import layers
from oracles import answers, difference, examples, masked, randomised

from course_lib import models, scores, shrink, training
from course_lib.masks import Masks, from_scores
from course_lib.structures import Unit


def test_what_is_not_read_goes_and_what_fed_it():
    """Dead ends cascade: a unit whose outgoing weights are all zero, then those that led to it alone."""
    names = ["one", "two", "three"]
    hidden = [layers.Dense(6, "relu", name=name) for name in names]
    model = randomised(keras.Sequential([keras.Input((4,)), *hidden, layers.Dense(2, name="output")]))
    kernels = {name: model.get_layer(name).kernel for name in [*names, "output"]}
    kernels["output"].assign(kernels["output"].numpy() * np.array([[0], [1], [1], [1], [1], [1]]))  # three/0 unread
    two_to_three = kernels["three"].numpy()
    two_to_three[5, 1:] = 0  # two/5 led to three/0 alone
    kernels["three"].assign(two_to_three)
    one_to_two = kernels["two"].numpy()
    one_to_two[3, :5] = 0  # one/3 led to two/5 alone
    kernels["two"].assign(one_to_two)
    small = shrink.shrink(model)
    assert [small.get_layer(name).units for name in names] == [5, 5, 5]
    np.testing.assert_array_equal(small.get_layer("one").bias, np.delete(model.get_layer("one").bias.numpy(), 3))
    assert difference(model, small, examples(model)) < 1e-5


def test_no_layer_is_emptied():
    hidden = [layers.Dense(6, "relu", name=name) for name in ("one", "two")]
    model = randomised(keras.Sequential([keras.Input((4,)), *hidden, layers.Dense(2, name="output")]))
    none = {model.get_layer("one").kernel.path: np.zeros((4, 6), bool)}
    x = examples(model)
    small = shrink.shrink(model, none)
    assert [small.get_layer(name).units for name in ("one", "two")] == [1, 1]  # nothing depends on x any more
    expected = answers(masked(model, {"one/kernel": list(range(6))}), x)
    np.testing.assert_allclose(answers(small, x), expected, atol=1e-5)
    everything = {v.path: np.zeros(v.shape, bool) for v in model.weights if "kernel" in v.path}
    np.testing.assert_allclose(answers(shrink.shrink(model, everything), x)[0], [model.weights[-1].numpy()] * 4)


def test_a_model_with_nothing_idle_is_copied():
    model = randomised(models.small_cnn())
    small, x = shrink.shrink(model), examples(model)
    assert small is not model and small.count_params() == model.count_params()
    np.testing.assert_array_equal(answers(small, x), answers(model, x))


def test_what_was_trained_under_masks_of_units():
    rng = np.random.default_rng(0)
    images, labels = rng.normal(size=(64, 28, 28, 1)).astype("float32"), rng.integers(0, 10, 64)
    model = models.small_resnet(width=0.5)
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    kernels = {v.path: 0.5 for v in model.weights if v.name == "kernel" and "_a/" in v.path}
    masks = from_scores(scores.magnitude(model), None, Unit(), scope=kernels)
    training.hold(model, masks)
    model.fit(images, labels, batch_size=16, epochs=2, verbose=0)
    x = examples(model)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # β of what is gone stays 0: relu lets no gradient through there
        small, by_zeros = shrink.shrink(model, masks), shrink.shrink(model, Masks.of_zeros(model))
    assert small.get_layer("conv_2_1_a").filters == 8
    assert difference(model, small, x) < 1e-4 > difference(model, by_zeros, x)
