import keras
import numpy as np
import pytest

from course_lib import masks, models, scores
from course_lib.structures import NofM


def layer_and_inputs(d=12, outputs=6, examples=60):
    rng = np.random.default_rng(0)
    few = rng.normal(size=(examples, d // 4)) @ rng.normal(size=(d // 4, d))  # what the inputs have in common
    x = (few + rng.normal(size=(examples, d))).astype("float32")
    entrance = keras.Input((d,))
    model = keras.Model(entrance, keras.layers.Dense(outputs, name="dense")(entrance))
    model.get_layer("dense").kernel.assign(rng.normal(size=(d, outputs)))
    return model, x, model.get_layer("dense").kernel.numpy()


def in_loops(w, x, sparsity, block):
    """The paper's algorithm without its factorisation: one output at a time, every inverse computed afresh."""
    w, h = w.astype("float64").copy(), x.T.astype("float64") @ x / len(x)
    mask = np.ones(w.shape, bool)
    for i in range(len(w)):
        if i % block == 0:
            stop = min(i + block, len(w))
            saliency = [w[j] ** 2 / np.linalg.inv(h[j:, j:])[0, 0] for j in range(i, stop)]
            lowest = np.argsort(saliency, axis=None)[: round(sparsity * (stop - i) * w.shape[1])]
            mask[i:stop].reshape(-1)[lowest] = False
        inverse = np.linalg.inv(h[i:, i:])
        for output in range(w.shape[1]):
            if not mask[i, output]:
                w[i:, output] -= w[i, output] / inverse[0, 0] * inverse[:, 0]
    return mask, w


def error(w, new, x):
    return np.linalg.norm(x @ (new - w))


@pytest.mark.parametrize("block", [3, 12, 128])
def test_it_is_the_papers_algorithm_in_loops(block):
    model, x, w = layer_and_inputs()
    found, new = scores.sparsegpt(model, (x, np.zeros(60)), 0.5, block=block, damping=1e-9)
    mask, expected = in_loops(w, x, 0.5, block)
    np.testing.assert_array_equal(found["dense/kernel"], mask)
    np.testing.assert_allclose(new["dense/kernel"], expected, rtol=1e-3, atol=1e-4)
    assert (new["dense/kernel"][~mask] == 0).all() and new["dense/kernel"].dtype == np.float32


def test_its_outputs_are_nearer_than_those_of_magnitude_and_wanda():
    model, x, w = layer_and_inputs(d=64, outputs=20, examples=300)
    data = (x, np.zeros(300))
    for sparsity in (0.25, 0.5, 0.75):
        _, new = scores.sparsegpt(model, data, sparsity)
        for score in (scores.magnitude(model), scores.wanda(model, data)):
            mask = masks.from_scores(score, sparsity, scope="output")["dense/kernel"]
            assert error(w, new["dense/kernel"], x) < 0.9 * error(w, w * mask, x)


def test_for_given_masks_the_error_lies_between_no_update_and_least_squares():
    model, x, w = layer_and_inputs()
    data = (x, np.zeros(60))
    given = masks.from_scores(scores.wanda(model, data), 0.5, scope="output")
    kept, new = scores.sparsegpt(model, data, masks=given, damping=1e-9)
    np.testing.assert_array_equal(kept["dense/kernel"], given["dense/kernel"])
    least = np.zeros_like(w)
    for output, mask in enumerate(given["dense/kernel"].T):
        least[mask, output] = np.linalg.lstsq(x[:, mask], x @ w[:, output])[0]
    assert error(w, least, x) < error(w, new["dense/kernel"], x) < error(w, w * given["dense/kernel"], x)


def test_it_is_least_squares_where_all_that_is_pruned_comes_first():
    model, x, w = layer_and_inputs()
    mask = np.arange(12)[:, None] >= np.arange(6)  # output k loses its first k inputs
    _, new = scores.sparsegpt(model, (x, np.zeros(60)), masks={"dense/kernel": mask}, damping=1e-9)
    for output in range(6):
        kept = mask[:, output]
        expected = np.linalg.lstsq(x[:, kept], x @ w[:, output])[0]
        np.testing.assert_allclose(new["dense/kernel"][kept, output], expected, rtol=1e-3, atol=1e-4)


def test_every_kind_of_layer_gets_nearer_than_without_an_update(one_layer):
    model, data, a = one_layer
    w = model.get_layer("layer").kernel.numpy()
    kept, new = scores.sparsegpt(model, data, 0.5)
    mask, new = kept["layer/kernel"], new["layer/kernel"]
    assert np.count_nonzero(~mask) == np.floor(0.5 * w.size + 0.5) and (new[~mask] == 0).all()
    without = np.linalg.norm(a @ (w * mask - w).ravel())
    assert np.linalg.norm(a @ (new - w).ravel()) < without


def test_counts_are_exact_in_every_tensor_and_the_model_is_not_changed():
    model = models.small_cnn(input_shape=(8, 8, 1), width=0.25)
    before, data = model.get_weights(), (np.random.default_rng(0).normal(size=(20, 8, 8, 1)), np.zeros(20))
    for block in (7, 128):
        kept, _ = scores.sparsegpt(model, data, 0.3, block=block)
        for mask in kept.values():
            assert np.count_nonzero(~mask) == np.floor(0.3 * mask.size + 0.5)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_two_of_four():
    model, x, _ = layer_and_inputs()
    kept, _ = scores.sparsegpt(model, (x, np.zeros(60)), 0.5, structure=NofM(2, 4), block=4)
    assert (kept["dense/kernel"].reshape(3, 4, 6).sum(axis=1) == 2).all()
    unstructured, _ = scores.sparsegpt(model, (x, np.zeros(60)), 0.5)
    assert not np.array_equal(unstructured["dense/kernel"], kept["dense/kernel"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(), "sparsity is None and masks None; give one"),
        (dict(sparsity=0.5, masks={}), "sparsity is 0.5 and masks not None; give one"),
        (dict(sparsity=1.5), "sparsity is 1.5"),
        (dict(sparsity=0.6, structure=NofM(2, 4)), "prunes at most 0.5"),
        (dict(sparsity=0.5, block=0), "block is 0"),
        (dict(masks={"dense": np.ones(3, bool)}), "no variable 'dense'"),
        (dict(sparsity=0.5, damping=-0.1), "damping is -0.1"),
    ],
)
def test_a_bad_argument_is_named_with_its_value(arguments, message):
    model, x, _ = layer_and_inputs()
    with pytest.raises(ValueError, match=message):
        scores.sparsegpt(model, (x, np.zeros(60)), **arguments)
