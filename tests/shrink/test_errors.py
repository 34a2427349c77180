"""What cannot be done raises one error that names the layer and the reason, before anything is built."""

import keras
import numpy as np
import pytest
import tf_keras
from keras import layers, ops
from oracles import answers, examples, randomised

from course_lib import shrink
from course_lib.shrink import Cut, rule

KEPT = [0, 3, 4, 5]


@pytest.fixture
def model():
    x = keras.Input((4,), name="entrance")
    h = layers.Dense(6, "relu", name="made")(x)
    h = layers.Add(name="sum")([h, layers.Dense(6, name="branch")(h)])
    return randomised(keras.Model(x, layers.Dense(3, name="output")(layers.Dropout(0.1, name="drop")(h)), name="small"))


@pytest.fixture(autouse=True)
def nothing_is_built(monkeypatch):
    """Whatever raises in this file must do so before a layer is made."""
    from course_lib.shrink import rebuild, units

    def build(*_):
        pytest.fail("it began to build before it raised")

    monkeypatch.setattr(rebuild, "_copy_layer", build)
    monkeypatch.setattr(units, "rebuilt", build)


@pytest.mark.parametrize(
    ("indices", "message"),
    [
        ([0, 6], "holds 6, but the layer has the units 0 to 5"),
        ([-1, 0], "holds -1"),
        ([1, 1, 2], "twice"),
        ([], "empty"),
        (np.array([], int), "empty"),
        (range(0), "empty"),
        ([0, 1.0], r"holds 1\.0"),
        (np.ones(6, bool), r"np\.flatnonzero"),
        ([True, False], r"np\.flatnonzero"),
        (np.array([0.0, 1.0]), "holds"),
        ("all", "'all'"),
        (None, "None"),
        ([None], "None"),
        ([[0, 1]], r"\[0, 1\]"),
        (0.5, r"0\.5"),
    ],
)
def test_indices(model, indices, message):
    with pytest.raises(ValueError, match=rf"keep\['made'\].*{message}"):
        shrink.remove_units(model, {"made": indices})


@pytest.mark.parametrize("name", ["unknown", "entrance", "small", "made/kernel", "", 3, None])
def test_names(model, name):
    with pytest.raises(ValueError, match=rf"{name!r}.*there are made, branch, sum, drop, output"):
        shrink.remove_units(model, {name: [0]})


@pytest.mark.parametrize("keep", [None, [0, 1], "made", {"made"}, 3])
def test_what_is_no_dictionary(model, keep):
    with pytest.raises(TypeError, match=r"keep is .*dictionary"):
        shrink.remove_units(model, keep)


def test_layers_that_share_units_and_are_kept_differently(model):
    with pytest.raises(
        ValueError, match=r"keep\['(made|branch)'\] and keep\['(made|branch)'\] speak of the same units"
    ):
        shrink.remove_units(model, {"made": [0, 1], "branch": [0, 2]})


def test_the_model_s_own_outputs(model):
    with pytest.raises(ValueError, match=r"keep\['output'\].*they are the model's outputs"):
        shrink.remove_units(model, {"output": [0]})
    whole = keras.Model(model.input, [model.output, model.get_layer("sum").output])
    with pytest.raises(ValueError, match=r"keep\['branch'\].*they are the model's outputs"):
        shrink.remove_units(whole, {"branch": KEPT})


class Unknown(keras.layers.Layer):
    def call(self, x):
        return x[..., ::-1]


class MyDense(layers.Dense):
    pass


@pytest.mark.parametrize(
    "layer",
    [
        Unknown(name="n"),
        layers.Lambda(lambda x: x * ops.arange(6.0), name="n"),
        layers.TimeDistributed(layers.Dense(6), name="n"),
        layers.Bidirectional(layers.GRU(3, return_sequences=True), name="n"),
        layers.Masking(name="n"),
        MyDense(6, name="n"),
    ],
)
def test_layers_without_a_rule(layer):
    made = layers.Dense(6, name="made")
    model = keras.Sequential([keras.Input((5, 4)), made, layer, layers.Flatten(), layers.Dense(2)])
    with pytest.raises(ValueError, match=r"keep\['made'\] leaves out .* in layer 'n' it has no rule: see shrink.rule"):
        shrink.remove_units(model, {"made": KEPT})
    (group,) = [group for group in shrink.groups(model).fixed if group.name == "made"]
    assert "'n'" in group.fixed


def test_a_rule_that_was_taught_is_for_that_class_alone():
    class Taught(keras.layers.Layer):
        def call(self, x):
            return 2 * x

    class Below(Taught):
        pass

    @rule(Taught)
    def taught(layer, x):
        return Cut(x)

    def model(kind):
        hidden = layers.Dense(6, name="made")
        return keras.Sequential([keras.Input((4,)), hidden, kind(name="n"), layers.Dense(2)])

    assert [group.name for group in shrink.groups(model(Taught))] == ["made"]
    assert [group.name for group in shrink.groups(model(Below))] == []


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.made = layers.Dense(3)

    def call(self, x):
        return self.made(x)


@pytest.mark.parametrize(
    "act",
    [
        lambda model: shrink.remove_units(model, {"made": [0]}),
        lambda model: shrink.shrink(model),
        lambda model: shrink.groups(model),
        lambda model: shrink.remove_layers(model, ["made"]),
    ],
)
def test_models_whose_graph_cannot_be_read(act):
    subclassed = Subclassed()
    with pytest.raises(ValueError, match="not built"):
        act(subclassed)
    subclassed(np.ones((1, 4)))
    with pytest.raises(TypeError, match="subclassed"):
        act(subclassed)
    with pytest.raises(ValueError, match="not built"):
        act(keras.Sequential([layers.Dense(3, name="made")]))
    old = tf_keras.Sequential([tf_keras.layers.Dense(3, name="made", input_shape=(4,))])
    for other in (old, layers.Dense(3, name="made"), None, "model"):
        with pytest.raises(TypeError, match="Keras 3 model"):
            act(other)


def test_a_subclassed_model_inside_has_no_rule():
    x = keras.Input((6,))
    inner = Subclassed()
    inner.name = "inner"
    model = keras.Model(x, layers.Dense(2)(inner(layers.Dense(6, name="made")(x))))
    with pytest.raises(ValueError, match=r"keep\['made'\].*'inner' it has no rule"):
        shrink.remove_units(model, {"made": KEPT})


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        ({"unknown/kernel": np.ones((4, 6), bool)}, "unknown/kernel"),
        ({"made/kernel": np.ones((6, 4), bool)}, r"made/kernel.*\(6, 4\).*\(4, 6\)"),
        ({"made/kernel": True}, r"made/kernel.*\(\).*\(4, 6\)"),
    ],
)
def test_masks_that_do_not_fit(model, masks, message):
    with pytest.raises(ValueError, match=message):
        shrink.shrink(model, masks)


@pytest.mark.parametrize("change", [lambda layer: layer.enable_lora(2), lambda layer: layer.quantize("int8")])
def test_weights_that_are_not_what_they_seem(model, change):
    change(model.get_layer("branch"))
    with pytest.raises((TypeError, ValueError), match="'branch'"):
        shrink.remove_units(model, {"made": KEPT})


def test_the_old_model_is_untouched_by_an_error(model):
    model.compile("adam", "mse", metrics=["mae"])
    x = examples(model)
    model.fit(x, np.ones((4, 3)), verbose=0)
    before, answer = [v.numpy() for v in model.weights + model.optimizer.variables], answers(model, x)
    calls = {layer.name: len(layer._inbound_nodes) for layer in model.layers}
    for keep in ({"made": [9]}, {"output": [0]}, {"nothing": [0]}, {"made": [0], "branch": [1]}):
        with pytest.raises(ValueError):
            shrink.remove_units(model, keep)
    assert calls == {layer.name: len(layer._inbound_nodes) for layer in model.layers}
    for old, new in zip(before, model.weights + model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(old, new)
    np.testing.assert_array_equal(answer, answers(model, x))
    assert model.compiled and model.layers[1].output is not None
