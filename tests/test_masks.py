import copy
import os
import pickle

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from course_lib import masks, models
from course_lib.masks import Masks, from_scores
from course_lib.structures import Block, Element, NofM, Unit


def kept_by_sorting(score, pruned):
    """Brute force: sort (score, earlier index first), drop the lowest ones."""
    order = sorted(range(score.size), key=lambda i: (score.flat[i], -i))
    mask = np.ones(score.size, bool)
    mask[order[:pruned]] = False
    return mask.reshape(score.shape)


def count(sparsity, n):
    return min(int(np.floor(sparsity * n + 0.5)), n - 1)


few_values = arrays("float32", st.tuples(st.integers(1, 6), st.integers(1, 5)), elements=st.integers(-3, 3))  # ties


@given(a=few_values, b=few_values, sparsity=st.floats(0, 1))
def test_every_scope_is_what_sorting_gives(a, b, sparsity):
    scores = {"a": a, "b": b}
    together = kept_by_sorting(np.concatenate([a.ravel(), b.ravel()]), count(sparsity, a.size + b.size))
    found = from_scores(scores, sparsity, scope="global")
    np.testing.assert_array_equal(np.concatenate([found["a"].ravel(), found["b"].ravel()]), together)

    found = from_scores(scores, sparsity, scope="tensor")
    for path, score in scores.items():
        np.testing.assert_array_equal(found[path], kept_by_sorting(score, count(sparsity, score.size)))

    found = from_scores(scores, sparsity, scope="output")
    for path, score in scores.items():
        for unit in range(score.shape[1]):
            expected = kept_by_sorting(score[:, unit], count(sparsity, score.shape[0]))
            np.testing.assert_array_equal(found[path][:, unit], expected)

    found = from_scores(scores, None, scope={"b": sparsity})
    assert found["a"].all()
    np.testing.assert_array_equal(found["b"], kept_by_sorting(b, count(sparsity, b.size)))


@pytest.mark.parametrize("scope", ["global", "tensor", "output"])
def test_ties_do_not_depend_on_how_an_array_lies_in_memory(scope):
    score = np.random.default_rng(0).integers(0, 3, (6, 5, 4))
    expected = from_scores({"w": score}, 0.5, scope=scope)["w"]
    for other in (np.asfortranarray(score), np.repeat(score, 2, axis=1)[:, ::2], score.T.copy().T):
        np.testing.assert_array_equal(from_scores({"w": other}, 0.5, scope=scope)["w"], expected)


def test_one_to_a_hundred():
    score = {"w": np.arange(1, 101)}
    assert np.flatnonzero(from_scores(score, 0.5)["w"]).tolist() == list(range(50, 100))
    assert from_scores(score, 0.9999)["w"].sum() == 1
    assert from_scores(score, 1)["w"].sum() == 1
    assert from_scores(score, 0)["w"].all()


@pytest.mark.parametrize(("n", "sparsity", "kept"), [(5, 0.5, 2), (4, 0.5, 2), (10, 0.25, 7), (3, 0.1, 3), (1, 1.0, 1)])
def test_halves_round_towards_more_pruning(n, sparsity, kept):
    assert from_scores({"w": np.arange(n)}, sparsity)["w"].sum() == kept


def test_of_equal_scores_the_first_are_kept():
    assert from_scores({"w": np.ones((2, 3))}, 0.5)["w"].tolist() == [[True, True, True], [False, False, False]]
    found = from_scores({"a": np.ones(2), "b": np.ones(2)}, 0.5)
    assert found["a"].all() and not found["b"].any()


def test_wanda_keeps_within_the_output_unit():
    score = np.abs([[1.0], [2.0], [3.0], [4.0]]) * np.array([[100.0], [10.0], [1.0], [0.1]])
    assert from_scores({"w": score}, 0.5, scope="output")["w"].ravel().tolist() == [True, True, False, False]


def test_masks_of_the_tensorflow_toolkit_on_the_same_weights():
    import keras
    import tf_keras
    from tensorflow_model_optimization.sparsity import keras as toolkit

    from course_lib import scores

    weights = np.random.default_rng(0).normal(size=(40, 30)).astype("float32")
    x = keras.Input((40,))
    ours = keras.Model(x, keras.layers.Dense(30, use_bias=False, name="dense")(x))
    ours.set_weights([weights])
    layer = tf_keras.layers.Dense(30, use_bias=False, input_shape=(40,))
    schedule = toolkit.ConstantSparsity(0.8, begin_step=0, frequency=1)
    theirs = tf_keras.Sequential([toolkit.prune_low_magnitude(layer, schedule)])
    theirs.layers[0].layer.set_weights([weights])
    theirs.compile("sgd", "mse")
    theirs.optimizer.learning_rate = 0.0
    theirs.fit(np.zeros((2, 40)), np.zeros((2, 30)), verbose=0, callbacks=[toolkit.UpdatePruningStep()])
    mask = from_scores(scores.magnitude(ours), 0.8)["dense/kernel"]
    np.testing.assert_array_equal(mask, toolkit.strip_pruning(theirs).get_weights()[0] != 0)


def test_the_scores_are_not_changed_and_may_be_read_only():
    score = np.array([3.0, 1.0, 2.0])
    score.flags.writeable = False
    assert from_scores({"w": score}, 1 / 3)["w"].tolist() == [True, False, True]


def test_infinite_scores_rank_like_any_other():
    assert from_scores({"w": np.array([-np.inf, 0, np.inf, -np.inf])}, 0.5)["w"].tolist() == [False, True, True, False]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(sparsity=-0.1), "sparsity is -0.1"),
        (dict(sparsity=1.5), "sparsity is 1.5"),
        (dict(sparsity=float("nan")), "sparsity is nan"),
        (dict(sparsity=None), "sparsity is None"),
        (dict(sparsity="0.5"), "sparsity is '0.5'"),
        (dict(sparsity=0.5, scope="layer"), "scope is 'layer'; choose 'global', 'tensor', 'output'"),
        (dict(sparsity=0.5, scope={"v": 0.5}), "scope names 'v', which has no scores; there are w"),
        (dict(sparsity=0.5, scope={"w": 2}), r"scope\['w'\] is 2"),
    ],
)
def test_a_bad_argument_is_named_with_its_value(arguments, message):
    with pytest.raises(ValueError, match=message):
        from_scores({"w": np.arange(4.0)}, **arguments)


def test_nan_scores_are_refused_by_name():
    with pytest.raises(ValueError, match="scores of 'bad' hold NaN"):
        from_scores({"good": np.ones(2), "bad": np.array([1.0, np.nan])}, 0.5)


def test_masks_are_a_read_only_mapping_of_copies():
    array = np.array([True, False])
    held = Masks({"w": array})
    array[:] = False
    assert held["w"].tolist() == [True, False] and list(held) == ["w"] and len(held) == 1
    with pytest.raises(TypeError):
        held["w"] = array
    with pytest.raises(ValueError, match="read-only"):
        held["w"][0] = False
    with pytest.raises(ValueError, match="mask 'w' has dtype float64"):
        Masks({"w": np.ones(2)})


def test_a_read_only_array_is_copied_too_and_copies_of_masks_stay_read_only():
    array = np.array([True, False])
    array.flags.writeable = False
    held = Masks({"w": array})
    array.flags.writeable = True
    array[:] = False
    assert held["w"][0]
    for again in (copy.deepcopy(held), pickle.loads(pickle.dumps(held))):
        assert again == held and isinstance(again, Masks)
        with pytest.raises(ValueError, match="read-only"):
            again["w"][0] = False


def test_masks_are_equal_when_they_keep_the_same_of_the_same():
    one = Masks({"a": np.array([True, False]), "b": np.array([True])})
    assert one == Masks({"b": np.array([True]), "a": np.array([True, False])})
    assert one != Masks({"a": np.array([True, False])})
    assert one != Masks({"a": np.array([True, True]), "b": np.array([True])})
    assert one != Masks({"a": np.array([True, False, True]), "b": np.array([True])})
    assert one != {"a": 1}
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)


def test_an_empty_tensor_has_no_sparsity():
    assert Masks({"w": np.zeros((0, 3), bool)}).per_tensor() == {"w": 0.0}


@pytest.mark.parametrize(
    ("structure", "scope"),
    [(s, scope) for s in (Element(), NofM(2, 4), Block((2, 1))) for scope in ("global", "tensor", "output")]
    + [(Unit(-2), "tensor")],
)
def test_bfloat16_scores_rank_as_the_same_numbers_do_in_float32(structure, scope):
    scores = np.random.default_rng(0).permutation(32).reshape(8, 4)
    half = from_scores({"w": scores.astype(ml_dtypes.bfloat16)}, 0.5, structure, scope)
    assert half == from_scores({"w": scores.astype("float32")}, 0.5, structure, scope)


def test_sparsity_weighs_tensors_by_their_size():
    held = Masks({"a": np.zeros(1, bool), "b": np.ones(3, bool)})
    assert held.sparsity == 0.25 and held.per_tensor() == {"a": 1.0, "b": 0.0}
    assert Masks({}).sparsity == 0.0


def test_saved_masks_come_back(tmp_path):
    held = Masks({"dense_1/kernel": np.eye(3, dtype=bool), "file": np.ones(1, bool), "b": np.zeros((2, 1, 2), bool)})
    held.save(tmp_path / "masks")
    assert os.listdir(tmp_path) == ["masks"]
    loaded = Masks.load(tmp_path / "masks")
    assert list(loaded) == list(held)
    for path in held:
        np.testing.assert_array_equal(loaded[path], held[path])


def test_a_file_that_holds_no_masks_is_refused(tmp_path):
    (tmp_path / "text").write_text("no masks")
    np.savez(tmp_path / "weights.npz", w=np.ones(3))
    for name in ("text", "weights.npz"):
        with pytest.raises(ValueError, match=f"{name} does not hold masks"):
            Masks.load(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        Masks.load(tmp_path / "nothing")


def test_of_zeros_reads_the_masks_from_the_weights():
    model = models.lenet_300_100()
    kernel = model.get_layer("dense_2").kernel
    kernel.assign(np.where(np.arange(300 * 100).reshape(300, 100) % 4, 0.5, 0.0))
    assert masks.Masks.of_zeros(model).per_tensor() == {"dense_1/kernel": 0, "dense_2/kernel": 0.25, "output/kernel": 0}


@pytest.mark.parametrize(
    "scores", [np.array(["a", "b"]), np.array([1j, 2j]), np.array([1, 2], object), np.zeros(2, [("a", "f4")]), None]
)
def test_scores_that_are_no_numbers_are_refused_by_name(scores):
    with pytest.raises(ValueError, match=r"the scores of 'bad' are of type .*; give an array of numbers"):
        from_scores({"good": np.ones(2), "bad": scores}, 0.5)


def test_what_is_no_mapping_of_scores_or_no_structure_is_named():
    with pytest.raises(TypeError, match=r"scores is a ndarray; give \{variable path: array\}"):
        from_scores(np.ones(2), 0.5)
    for wrong in (Unit, NofM, "unit", None):
        with pytest.raises(TypeError, match=r"structure is .*; give one of course_lib\.structures, such as Unit\(\)"):
            from_scores({"w": np.ones((2, 2))}, 0.5, wrong)
