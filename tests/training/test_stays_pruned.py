"""``Prune`` on a model that holds masks already: what is pruned stays pruned, whoever pruned it."""

from functools import partial

import keras
import numpy as np
import pytest
from tiny import Sparsities, compiled, fit

from course_lib import scores, training
from course_lib.masks import Masks, from_scores
from course_lib.schedules import Iterative, OneShot, Polynomial
from course_lib.structures import NofM, Unit
from course_lib.variables import prunable


def held(model, sparsity, score=scores.magnitude):
    found = from_scores(score(model), sparsity)
    training.hold(model, found)
    return found


def grown(model, masks):
    return sum(int(np.count_nonzero(kernel.numpy()[~masks[path]])) for path, kernel in prunable(model).items())


@pytest.mark.parametrize(
    ("score", "target", "reached"),
    [(scores.magnitude, 0.3, 0.6), (scores.random, 0.5, 0.6), (scores.magnitude, 0.7, 0.7), (scores.random, 0.9, 0.9)],
)
@pytest.mark.parametrize("by", ["hold", "Prune"])
def test_what_others_pruned_stays_pruned(score, target, reached, by):
    model = compiled(keras.optimizers.Adam(0.01))
    if by == "hold":
        earlier = held(model, 0.6)
    else:
        first = training.Prune(scores.magnitude, OneShot(0.6))
        fit(model, first)
        earlier = first.masks
    prune, seen = training.Prune(score, Polynomial(target, begin=0, end=8), frequency=2), Sparsities()
    fit(model, prune, seen)
    assert grown(model, earlier) == 0 and min(seen.seen) == 0.6
    assert prune.masks.sparsity == pytest.approx(reached, abs=1e-4)
    assert Masks.of_zeros(model).sparsity == pytest.approx(reached, abs=1e-4)


def test_what_is_held_by_another_scope_counts_tensor_by_tensor():
    model = compiled()
    training.hold(model, {"output/kernel": np.arange(100).reshape(10, 10) < 10})
    prune = training.Prune(scores.magnitude, OneShot(0.5), scope="tensor")
    fit(model, prune)
    assert prune.masks.per_tensor() == {"dense_1/kernel": 0.5, "dense_2/kernel": 0.5, "output/kernel": 0.9}


def test_a_group_that_lost_some_weights_is_ranked_and_one_that_lost_all_is_gone():
    model = compiled(keras.optimizers.SGD(0.0))
    earlier = dict(held(model, 0.5, partial(scores.random, seed=1)))
    earlier["dense_2/kernel"] = earlier["dense_2/kernel"] & (np.arange(10) != 9)
    training.hold(model, earlier)
    means = np.abs(model.get_layer("dense_2").kernel.numpy()).mean(axis=0)
    prune = training.Prune(scores.random, OneShot(0.1, at=2), Unit(), scope="tensor")
    fit(model, prune)
    assert grown(model, earlier) == 0
    np.testing.assert_array_equal(prune.masks["dense_2/kernel"], earlier["dense_2/kernel"])  # one of ten units
    prune = training.Prune(scores.magnitude, OneShot(0.5, at=2), Unit(), scope="tensor")
    fit(model, prune)
    gone = ~prune.masks["dense_2/kernel"].any(axis=0)
    assert set(np.flatnonzero(gone)) == set(np.argsort(means)[:5])
    assert grown(model, earlier) == 0


def test_n_of_m_is_made_of_what_is_left():
    model = compiled(keras.optimizers.SGD(0.0))
    earlier = held(model, 0.4, partial(scores.random, seed=1))["dense_1/kernel"].T.reshape(-1, 4)
    w = np.abs(model.get_layer("dense_1").kernel.numpy()).T.reshape(-1, 4)  # four inputs of a unit a row
    prune = training.Prune(scores.magnitude, OneShot(0.5, at=2), NofM(2, 4), scope={"dense_1/kernel": 0.5})
    with pytest.raises(ValueError, match="does not divide"):
        fit(model, prune)
    prune.score = lambda model, data: {"dense_1/kernel": scores.magnitude(model)["dense_1/kernel"]}
    fit(model, prune)
    found = prune.masks["dense_1/kernel"].T.reshape(-1, 4)
    assert set(earlier.sum(axis=1)) == {0, 1, 2, 3, 4}
    np.testing.assert_array_equal(found, earlier & (w >= np.sort(w, axis=1)[:, 2:3]))


def test_masks_that_were_tightened_between_two_fits_are_kept_and_looser_ones_are_not():
    model, prune = compiled(), training.Prune(scores.magnitude, OneShot(0.5))
    fit(model, prune)
    for sparsity, reached in ((0.8, 0.8), (0.2, 0.8)):
        held(model, sparsity)
        fit(model, prune)
        assert prune.masks.sparsity == pytest.approx(reached, abs=1e-4)
        assert Masks.of_zeros(model).sparsity == pytest.approx(reached, abs=1e-4)


def test_pruning_goes_on_from_the_zeros_of_a_model_from_a_file(tmp_path):
    model = compiled()
    earlier = held(model, 0.6)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    training.hold(loaded, Masks.of_zeros(loaded))
    fit(loaded, training.Prune(partial(scores.random, seed=1), Polynomial(0.8, begin=0, end=8), frequency=2))
    assert grown(loaded, earlier) == 0
    assert Masks.of_zeros(loaded).sparsity == pytest.approx(0.8, abs=1e-4)


def test_a_scope_by_path_is_followed_when_loading_changes_the_paths(tmp_path):
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    (path,) = prunable(model)
    prune = training.Prune(scores.magnitude, Iterative(0.75, rounds=2, every=15), scope={path: 0.75}, fits=2)
    fit(model, prune)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    fit(loaded, prune)
    assert list(prune.masks.per_tensor().values()) == [0.75] and path not in prune.masks
