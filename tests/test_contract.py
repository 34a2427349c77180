"""One contract for every score, structure, scope and schedule: a new one is added to its list here and is then held."""

import math

import keras
import numpy as np
import pytest

from course_lib import masks, schedules, scores, structures, training
from course_lib.variables import prunable

ELEMENT_SCORES = [
    "magnitude", "random", "lamp", "taylor", "fisher", "obd", "obs", "snip", "grasp", "synflow", "wanda",
]  # fmt: skip
UNIT_SCORES = [
    "activation_mean", "apoz", "contribution", "unit_taylor", "unit_norm", "geometric_median",
]  # fmt: skip
STRUCTURES = [structures.Element(), structures.NofM(2, 4), structures.Block((4, 1)), structures.Unit()]
SCOPES = ["global", "tensor", "output", "dictionary"]
SCHEDULES = [
    schedules.Constant(0.5, begin=1),
    schedules.OneShot(0.5, at=2),
    schedules.Polynomial(0.5, begin=0, end=5),
    schedules.Iterative(0.5, rounds=3, every=2),
]


def net():
    keras.utils.set_random_seed(0)
    x = keras.Input((8,))
    h = keras.layers.Dense(12, "relu", name="one")(x)
    model = keras.Model(x, keras.layers.Dense(4, "softmax", name="two")(h))
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


@pytest.fixture(scope="module")
def model():
    return net()


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(32, 8)).astype("float32"), rng.integers(0, 4, 32)


def test_the_lists_are_complete():
    public = {
        name
        for name in scores.__all__
        if not name.endswith(("_masks", "_update")) and name not in ("sparsegpt", "per_weight")
    }
    assert public == {*ELEMENT_SCORES, *UNIT_SCORES, "bn_gamma"}  # bn_gamma wants BatchNormalization: see test_units
    assert {type(structure).__name__ for structure in STRUCTURES} == set(structures.__all__)
    assert {type(schedule).__name__ for schedule in SCHEDULES} == set(schedules.__all__)


@pytest.mark.parametrize("name", ELEMENT_SCORES + UNIT_SCORES)
def test_a_score_is_finite_floats_of_the_right_shape_repeats_and_changes_nothing(model, data, name):
    before = [w.copy() for w in model.get_weights()]
    first, second = (getattr(scores, name)(model, data) for _ in range(2))
    shapes = {path: tuple(kernel.shape) for path, kernel in prunable(model).items()}
    assert {key: array.shape for key, array in first.items()} == (shapes if name in ELEMENT_SCORES else {"one": (12,)})
    for key, array in first.items():
        assert isinstance(array, np.ndarray) and array.dtype.kind == "f" and np.isfinite(array).all()
        np.testing.assert_array_equal(array, second[key])
        assert len(np.unique(array)) > 1, "every weight is worth the same"
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert model.trainable and all(layer.trainable for layer in model.layers)
    assert model.optimizer is not None and all(v.constraint is None for v in model.weights)


@pytest.mark.parametrize("name", ["magnitude", "lamp", "taylor", "fisher", "obd", "snip", "wanda"])
def test_a_weight_that_is_nan_is_never_ranked(data, name):
    model = net()
    kernel = model.get_layer("one").kernel
    kernel.assign(np.where(np.arange(8 * 12).reshape(8, 12) == 5, np.nan, kernel.numpy()))
    with pytest.raises(ValueError, match="hold NaN"):
        masks.from_scores(getattr(scores, name)(model, data), 0.5)


def groups(structure, shape):
    """How many groups a tensor has, and how many of them one output unit has."""
    size = math.prod(shape)
    if isinstance(structure, structures.Block):
        return size // 4, shape[0] // 4
    return (shape[1], 1) if isinstance(structure, structures.Unit) else (size, shape[0])


def pruned(sparsity, n):
    return min(math.floor(sparsity * n + 0.5), n - 1)


@pytest.mark.parametrize("name", ELEMENT_SCORES)
@pytest.mark.parametrize("structure", STRUCTURES, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("scope", SCOPES)
def test_masks_have_the_exact_count_for_every_score_structure_and_scope(model, data, name, structure, scope):
    ranked = getattr(scores, name)(model, data)
    shapes = {path: array.shape for path, array in ranked.items()}
    for sparsity in (0.0, 0.3, 0.5, 1.0):
        if sparsity > structure.most:
            continue
        asked = dict.fromkeys(shapes, sparsity) if scope == "dictionary" else scope
        if scope == "output" and isinstance(structure, structures.Unit):
            with pytest.raises(ValueError, match="nothing to compare"):
                masks.from_scores(ranked, sparsity, structure, asked)
            continue
        found = masks.from_scores(ranked, sparsity, structure, asked)
        assert {path: mask.shape for path, mask in found.items()} == shapes
        zeros = {path: int((~mask).sum()) for path, mask in found.items()}
        weights = {path: math.prod(shape) // groups(structure, shape)[0] for path, shape in shapes.items()}
        if scope == "global":
            n = sum(groups(structure, shape)[0] for shape in shapes.values())
            assert sum(zeros[path] // weights[path] for path in shapes) == pruned(sparsity, n)
        elif scope == "output":
            for path, shape in shapes.items():
                each = pruned(sparsity, groups(structure, shape)[1]) * weights[path]
                assert ((~found[path]).sum(axis=0) == each).all()
        else:
            for path, shape in shapes.items():
                assert zeros[path] == pruned(sparsity, groups(structure, shape)[0]) * weights[path]


@pytest.mark.parametrize("name", ELEMENT_SCORES)
@pytest.mark.parametrize("structure", STRUCTURES, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: type(s).__name__)
def test_prune_reaches_its_target_and_holds_it(data, name, structure, schedule):
    model = net()
    prune = training.Prune(getattr(scores, name), schedule, structure, scope="tensor", frequency=2, data=data)
    model.fit(*data, batch_size=4, verbose=0, callbacks=[prune])  # eight steps
    model.fit(*data, batch_size=4, verbose=0)
    for path, kernel in prunable(model).items():
        mask = prune.masks[path]
        assert (~mask).sum() == mask.size // 2
        assert np.all(kernel.numpy()[~mask] == 0) and np.any(kernel.numpy()[mask] != 0)


@pytest.mark.parametrize("name", UNIT_SCORES)
@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: type(s).__name__)
def test_prune_takes_whole_units_by_a_score_of_units(data, name, schedule):
    model = net()
    score, first = getattr(scores, name), []

    def seen(model, data):
        first.append(score(model, data)["one"])
        return score(model, data)

    prune = training.Prune(seen, schedule, structures.Unit(), frequency=2, data=data)
    model.fit(*data, batch_size=4, verbose=0, callbacks=[prune])
    silent = ~np.any(model.get_layer("one").kernel.numpy(), axis=0)
    assert silent.sum() == 6 and list(prune.masks) == ["one/kernel"]
    if isinstance(schedule, schedules.Constant | schedules.OneShot):  # all at once: the lowest of that moment
        assert set(first[0][silent]) == set(np.sort(first[0])[:6])
