import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.schedules import Constant, Iterative, OneShot, Polynomial


def test_polynomial_at_steps_computed_by_hand():
    schedule = Polynomial(final=0.8, begin=100, end=110, initial=0.2, power=3)
    assert [round(schedule(t), 10) for t in (0, 100, 102, 105, 110, 999)] == [0.2, 0.2, 0.4928, 0.725, 0.8, 0.8]


@pytest.mark.parametrize("power", [1, 3])
def test_polynomial_is_the_one_of_the_tensorflow_toolkit(power):
    from tensorflow_model_optimization.sparsity.keras import PolynomialDecay

    ours = Polynomial(final=0.9, begin=50, end=450, initial=0.3, power=power)
    toolkit = PolynomialDecay(initial_sparsity=0.3, final_sparsity=0.9, begin_step=50, end_step=450, power=power)
    steps = range(50, 451, 25)
    np.testing.assert_allclose([ours(t) for t in steps], [float(toolkit(t)[1]) for t in steps], rtol=1e-6)


def test_polynomial_without_length_is_a_jump():
    assert [Polynomial(final=0.5, begin=7, end=7)(t) for t in (6, 7)] == [0.0, 0.5]


def test_iterative_removes_the_same_fraction_of_what_is_left():
    schedule = Iterative(final=1 - 0.8**5, rounds=5, every=10, begin=3)
    left = [1 - schedule(3 + 10 * k) for k in range(5)]
    np.testing.assert_allclose(left, [0.8, 0.8**2, 0.8**3, 0.8**4, 0.8**5])
    assert schedule(2) == 0.0 and schedule(12) == schedule(3) and schedule.end == 43


def test_iterative_starts_from_what_is_already_pruned():
    schedule = Iterative(final=0.875, rounds=2, every=1, initial=0.5)
    np.testing.assert_allclose([schedule(t) for t in (0, 1)], [0.75, 0.875])


sparsities = st.floats(0, 1)
steps = st.integers(0, 10_000)


@given(final=sparsities, share=sparsities, begin=steps, length=steps, rounds=st.integers(1, 9), t=steps)
def test_every_schedule_rises_from_initial_to_final_and_rests_there(final, share, begin, length, rounds, t):
    initial = share * final
    for schedule, start in [
        (Constant(final, begin), 0.0),
        (OneShot(final, begin), 0.0),
        (Polynomial(final, begin, begin + length, initial), initial),
        (Iterative(final, rounds, length + 1, begin, initial), initial),
    ]:
        assert schedule.final == final and schedule.begin == begin <= schedule.end
        assert begin == 0 or schedule(begin - 1) == start
        assert schedule(schedule.end) == schedule(schedule.end + t) == final
        assert start - 1e-12 <= schedule(t) <= schedule(t + 1) + 1e-12 <= final + 2e-12


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Constant(1.1), "sparsity is 1.1"),
        (lambda: Constant("0.5"), "sparsity is '0.5'; a sparsity is a fraction"),
        (lambda: Polynomial(0.5, begin=0, end=float("inf")), "end is inf; it must be a whole number"),
        (lambda: OneShot(0.5, at="1"), "at is '1'; it must be a whole number"),
        (lambda: Constant(float("nan")), "sparsity is nan"),
        (lambda: Constant(0.5, begin=-1), "begin is -1"),
        (lambda: OneShot(-0.1), "sparsity is -0.1"),
        (lambda: OneShot(0.5, at=1.5), "at is 1.5"),
        (lambda: Polynomial(0.5, begin=10, end=9), "end is 9; it must be a whole number, at least 10"),
        (lambda: Polynomial(0.5, begin=0, end=9, initial=0.6), "initial is 0.6, above final"),
        (lambda: Polynomial(0.5, begin=0, end=9, power=0), "power is 0"),
        (lambda: Iterative(0.5, rounds=0, every=1), "rounds is 0"),
        (lambda: Iterative(0.5, rounds=1, every=0), "every is 0"),
        (lambda: Iterative(2, rounds=1, every=1), "final is 2"),
    ],
)
def test_a_bad_argument_is_named_with_its_value(make, message):
    with pytest.raises(ValueError, match=message):
        make()
