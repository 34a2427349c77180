from functools import partial
from itertools import pairwise

import keras
import numpy as np
import pytest
from tiny import Sparsities, compiled, fit

from course_lib import scores, training
from course_lib.masks import Masks
from course_lib.schedules import Constant, Iterative, OneShot, Polynomial
from course_lib.structures import Block, NofM, Unit


def test_a_polynomial_is_followed_every_frequency_steps_and_reached_at_its_end():
    schedule = Polynomial(final=0.9, begin=2, end=15)
    seen = Sparsities()
    fit(compiled(), training.Prune(scores.magnitude, schedule, frequency=5), seen, epochs=2)
    at = [0] * 7 + [7] * 5 + [12] * 3 + [15] * 5  # the step whose sparsity holds in steps 0 to 19
    assert seen.seen == [round(schedule(t), 2) for t in at]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Constant(0.5, begin=3), [0] * 3 + [0.5] * 7),
        (OneShot(0.5, at=4), [0] * 4 + [0.5] * 6),
        (OneShot(0.5), [0.5] * 10),
        (Iterative(0.875, rounds=3, every=3, begin=1), [0] + [0.5] * 3 + [0.75] * 3 + [0.88] * 3),
    ],
)
def test_plateaus_are_reached_at_their_step_whatever_the_frequency(schedule, expected):
    seen = Sparsities()
    fit(compiled(), training.Prune(scores.magnitude, schedule, frequency=100), seen)
    assert seen.seen == expected


@pytest.mark.parametrize("score", [scores.magnitude, partial(scores.random, seed=3)])
def test_what_is_pruned_stays_pruned(score):
    model = compiled(keras.optimizers.Adam(0.01))
    prune = training.Prune(score, Polynomial(0.9, begin=0, end=10), frequency=2)
    history = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            history.append(prune.masks)

    fit(model, prune, Watch())
    kept = [m for m in history if m is not None]
    assert len({id(m) for m in kept}) >= 4
    for earlier, later in pairwise(kept):
        assert all(np.all(earlier[path] | ~later[path]) for path in later)


def test_the_masks_are_those_of_the_score_at_that_step_and_scope():
    model = compiled()
    score = {path: s for path, s in scores.magnitude(model).items()}
    prune = training.Prune(
        lambda model, data: score if data == "data" else {}, OneShot(0.5), scope="tensor", data="data"
    )
    fit(model, prune)
    assert all(abs(s - 0.5) < 0.01 for s in prune.masks.per_tensor().values())
    for path, mask in prune.masks.items():
        assert score[path][mask].min() >= score[path][~mask].max()


def test_a_dictionary_of_sparsities_is_followed_in_proportion():
    model = compiled()
    prune = training.Prune(
        scores.magnitude, Polynomial(0.8, 0, 10), scope={"dense_1/kernel": 0.9, "dense_2/kernel": 0.4}
    )
    fit(model, prune)
    found = prune.masks.per_tensor()
    assert found["output/kernel"] == 0
    assert found["dense_1/kernel"] == pytest.approx(0.9, abs=0.001)
    assert found["dense_2/kernel"] == pytest.approx(0.4, abs=0.01)


def test_steps_are_the_optimizers_with_accumulated_gradients_and_with_several_steps_an_execution():
    accumulated = compiled(keras.optimizers.Adam(gradient_accumulation_steps=2))
    with pytest.raises(ValueError, match="fit makes only 5 steps"):
        fit(accumulated, training.Prune(scores.magnitude, OneShot(0.5, at=6)))
    prune = training.Prune(scores.magnitude, OneShot(0.5, at=6))
    fit(accumulated, prune, epochs=2)
    assert prune.step == 10

    bundled = compiled(steps_per_execution=4)
    prune = training.Prune(scores.magnitude, Polynomial(0.9, begin=0, end=7), frequency=3)
    fit(bundled, prune)
    assert prune.step == 10 and round(Masks.of_zeros(bundled).sparsity, 2) == 0.9


def test_steps_that_keras_only_tries_at_the_end_of_a_generator_do_not_count():
    import tensorflow as tf

    types = tf.TensorSpec((None, 28, 28, 1)), tf.TensorSpec((None,), tf.int32)
    batches = tf.data.Dataset.from_generator(
        lambda: [(np.ones((4, 28, 28, 1)), np.ones(4))] * 5, output_signature=types
    )
    model = compiled()
    prune = training.Prune(scores.magnitude, OneShot(0.5, at=8))
    model.fit(batches, epochs=2, verbose=0, callbacks=[prune])
    assert int(model.optimizer.iterations) > 10, "Keras counts rightly: simplify StepCallback"
    assert prune.step == 10


def test_the_count_starts_with_the_first_fit_and_goes_on_in_the_next():
    model = compiled()
    fit(model)  # a trained model: the optimizer has made steps before
    prune = training.Prune(scores.magnitude, OneShot(0.5, at=5))
    fit(model, prune)
    assert prune.step == 10 and prune.masks is not None
    fit(model, prune)
    assert prune.step == 20


def test_a_target_out_of_reach_is_refused_before_training():
    model = compiled()
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"ends at step 11, but fit makes only 10 steps; train longer"):
        fit(model, training.Prune(scores.magnitude, Polynomial(0.9, begin=0, end=11)))
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_schedule_that_ends_with_training_is_reached():
    model = compiled()
    fit(model, training.Prune(scores.magnitude, Polynomial(0.9, begin=0, end=10)))
    assert round(Masks.of_zeros(model).sparsity, 2) == 0.9


def test_weights_that_another_callback_puts_back_are_masked_at_the_end():
    model = compiled()
    best = keras.callbacks.EarlyStopping("loss", mode="max", patience=9, restore_best_weights=True)  # the first epoch
    prune = training.Prune(scores.magnitude, Polynomial(0.9, begin=0, end=15), frequency=1)
    fit(model, best, prune, epochs=2)
    assert round(Masks.of_zeros(model).sparsity, 2) == 0.9


def test_training_that_stops_early_does_not_end_silently_unpruned():
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 3

    with pytest.raises(RuntimeError, match=r"optimizer step 4, before .*'s end at 8: .* sparsity of 0\.0, not 0\.5\."):
        fit(compiled(), training.Prune(scores.magnitude, OneShot(0.5, at=8)), Stop())
    with pytest.raises(RuntimeError, match=r"it pruned to a sparsity of 0\.7999\d+, not 0\.8\."):  # 80.0% is not 80.0%
        fit(compiled(), training.Prune(scores.magnitude, Polynomial(0.8, 0, 5, power=6), frequency=1), Stop())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(score=Constant(0.5), schedule=None), "both must be functions"),
        (dict(score=scores.magnitude, schedule=0.5), "schedule 0.5; both must be functions"),
        (dict(score=scores.magnitude, schedule=lambda step: 0.5), "it needs begin, end and final"),
        (dict(score=Constant(0.5), schedule=scores.magnitude), "it needs begin, end and final"),
        (dict(score=scores.magnitude, schedule=Constant(0.5), frequency=0), "frequency is 0"),
        (dict(score=scores.magnitude, schedule=Constant(0.5), frequency=None), "frequency is None"),
        (dict(score=scores.magnitude, schedule=Constant(0.5), structure="unit"), "structure is 'unit'; make one"),
        (dict(score=scores.magnitude, schedule=Constant(0.5), structure=Unit), "structure is .*Unit.*; make one"),
    ],
)
def test_bad_arguments_are_refused_when_the_callback_is_made(arguments, message):
    with pytest.raises(ValueError, match=message):
        training.Prune(**arguments)


def counted(score):
    """The score, and a list that grows by one whenever it is asked."""
    asked = []
    return lambda model, data: (asked.append(1), score(model, data))[1], asked


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(scope="layer"), "scope is 'layer'; choose"),
        (dict(scope=None), "scope is None; choose"),
        (dict(scope={"dense_3/kernel": 0.5}), "no variable 'dense_3/kernel'; it has dense_1/kernel"),
        (dict(scope={"dense_1/kernel": 1.5}), r"scope\['dense_1/kernel'\] is 1.5"),
        (dict(structure=NofM(2, 4)), "sparsity is 0.9; NofM.* prunes at most 0.5"),
        (dict(structure=Block((9, 9))), r"shape is \(9, 9\), but a tensor of shape .* does not divide"),
        (dict(structure=Unit(), scope="output"), "nothing to compare"),
    ],
)
def test_a_scope_or_a_structure_that_does_not_suit_the_model_is_refused_before_training(options, message):
    model, (score, asked) = compiled(), counted(scores.magnitude)
    before = model.get_weights()
    with pytest.raises(ValueError, match=message):
        fit(model, training.Prune(score, OneShot(0.9, at=8), **options))
    assert int(model.optimizer.iterations) == 0 and len(asked) <= 1
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_costly_score_is_not_asked_before_its_time_nor_a_score_of_other_variables_refused():
    score, asked = counted(scores.magnitude)
    fit(compiled(), training.Prune(score, Iterative(0.9, rounds=3, every=2)))
    assert len(asked) == 3

    def biases(model, data):
        return {f"{layer.name}/bias": np.abs(layer.bias.numpy()) for layer in model.layers if layer.weights}

    model = compiled()
    for target in (0.5, 0.3):
        fit(model, training.Prune(biases, OneShot(target, at=5), scope={"dense_1/bias": target}))
        assert [int(np.sum(v.numpy() == 0)) for v in model.weights if v.name == "bias"] == [15, 0, 0]

    def sixteens(model, data):  # (784, 30), (30, 10), (10, 10): only the first divides
        return {"dense_1/kernel": scores.magnitude(model)["dense_1/kernel"]}

    model = compiled()
    fit(model, training.Prune(sixteens, OneShot(0.75), structure=NofM(4, 16)))
    assert Masks.of_zeros(model).per_tensor() == {"dense_1/kernel": 0.75, "dense_2/kernel": 0, "output/kernel": 0}
