import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from course_lib.masks import from_scores
from course_lib.structures import Block, NofM, Unit

kernels = arrays("float32", st.tuples(st.integers(1, 3), st.just(8), st.integers(1, 4)), elements=st.integers(-4, 4))


@given(score=kernels, n=st.integers(1, 4), scope=st.sampled_from(["global", "tensor", "output"]))
def test_n_of_every_m_inputs_are_kept_and_they_are_the_best(score, n, scope):
    mask = from_scores({"w": score}, 1 - n / 4, NofM(n, 4), scope=scope)["w"]
    for h, c in np.ndindex(score.shape[0], score.shape[2]):
        for start in (0, 4):
            run = [(-score[h, i, c], i) for i in range(start, start + 4)]
            assert np.flatnonzero(mask[h, start : start + 4, c]).tolist() == sorted(
                i - start for _, i in sorted(run)[:n]
            )


@given(score=kernels, sparsity=st.floats(0, 0.5))
def test_on_the_way_the_lowest_go_first_and_no_run_loses_more_than_it_may(score, sparsity):
    mask = from_scores({"w": score}, sparsity, NofM(2, 4))["w"]
    assert (~mask).sum() == int(np.floor(sparsity * score.size + 0.5))
    assert (~mask).reshape(score.shape[0], 2, 4, -1).sum(axis=2).max(initial=0) <= 2


def test_n_of_m_is_the_pattern_of_the_tensorflow_toolkit():
    from tensorflow_model_optimization.python.core.sparsity.keras.pruning_utils import generate_m_by_n_mask

    weights = np.random.default_rng(0).normal(size=(16, 6)).astype("float32")
    theirs = np.asarray(generate_m_by_n_mask(np.abs(weights).T, (2, 4))).T.astype(bool)  # along the last axis
    np.testing.assert_array_equal(from_scores({"w": np.abs(weights)}, None, NofM(2, 4))["w"], theirs)


@pytest.mark.parametrize("dtype", ["uint8", bool, "float16", "int64"])
def test_n_of_m_ranks_numbers_of_any_type(dtype):
    score = np.array([[0], [0], [1], [1]]).astype(dtype)
    assert from_scores({"w": score}, 0.5, NofM(2, 4))["w"].ravel().tolist() == [False, False, True, True]


def test_another_axis_can_be_chosen():
    score = np.arange(8.0).reshape(2, 4)
    assert from_scores({"w": score}, 0.75, NofM(1, 4, axis=-1))["w"].tolist() == [[False, False, False, True]] * 2


@given(score=arrays("float64", (2, 4, 6), elements=st.integers(0, 9)), sparsity=st.floats(0, 1))
def test_a_block_is_ranked_by_its_mean_and_goes_as_one(score, sparsity):
    mask = from_scores({"w": score}, sparsity, Block((2, 3)))["w"]
    blocks = {
        (i, j, k): (slice(i, i + 1), slice(2 * j, 2 * j + 2), slice(3 * k, 3 * k + 3))
        for i in range(2) for j in range(2) for k in range(2)
    }  # fmt: skip
    kept = {place for place, block in blocks.items() if mask[block].all()}
    assert all(mask[block].all() == mask[block].any() for block in blocks.values())
    best = sorted(blocks, key=lambda place: (-score[blocks[place]].mean(), place))
    assert kept == set(best[: max(8 - int(np.floor(sparsity * 8 + 0.5)), 1)])


def test_units_are_ranked_by_the_mean_of_their_weights_also_across_tensors():
    scores = {"a": np.array([[1.0, 6.0], [2.0, 6.0]]), "b": np.array([[3.0, 9.0]])}
    found = from_scores(scores, 0.5, Unit())
    assert found["a"].tolist() == [[False, True]] * 2 and found["b"].tolist() == [[False, True]]
    rows = from_scores(scores, 0.5, Unit(axis=-2), scope="tensor")
    assert rows["a"].tolist() == [[False, False], [True, True]] and rows["b"].all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda w: NofM(3, 2), "n is 3 and m is 2"),
        (lambda w: NofM(0, 2), "n is 0"),
        (lambda w: NofM(1.5, 4), "n is 1.5 and m is 4"),
        (lambda w: NofM(True, 4), "n is True"),
        (lambda w: Block(4), "shape is 4; a block is a tuple of whole numbers"),
        (lambda w: Block("44"), "shape is '44'"),
        (lambda w: Block((2, 1.5)), r"shape is \(2, 1.5\)"),
        (lambda w: NofM(1, 2, axis="x"), "axis is 'x'; it must be a whole number"),
        (lambda w: Unit(axis=None), "axis is None; it must be a whole number"),
        (lambda w: from_scores(w, 0.5, NofM(1, 4)), r"m is 4, but a tensor of shape \(6, 5\)"),
        (lambda w: from_scores(w, 0.5, NofM(1, 2, axis=2)), "along axis 2"),
        (lambda w: from_scores(w, 0.6, NofM(1, 2)), r"sparsity is 0.6; NofM\(n=1, m=2, axis=-2\) prunes at most 0.5"),
        (lambda w: Block((2, 0)), r"shape is \(2, 0\)"),
        (lambda w: from_scores(w, 0.5, Block((4, 1))), r"shape is \(4, 1\), but a tensor of shape \(6, 5\)"),
        (lambda w: from_scores(w, 0.5, Block((1, 1, 1))), "does not divide into such blocks"),
        (lambda w: from_scores(w, 0.5, Unit(axis=2)), "axis is 2"),
        (lambda w: from_scores(w, 0.5, Unit(), scope="output"), "nothing to compare"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make({"w": np.arange(30.0).reshape(6, 5)})


@pytest.mark.parametrize("structure", [Unit(), Block((2, 1))])
def test_a_group_with_an_entry_that_must_stay_stays(structure):
    scores = np.array([[np.inf, 5.0, -np.inf], [-np.inf, 6.0, 9.0]])
    assert from_scores({"w": scores}, 2 / 3, structure)["w"].tolist() == [[True, False, False]] * 2
