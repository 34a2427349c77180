"""What a program with the toolkit reaches, from its four numbers."""

from course_lib.classroom import Case, Exercise, Misconception


def climbing(step, begin, end, final):
    left = 1 - (step - begin) / (end - begin)
    return final * (1 - left**3)


def reached_sparsity(final, begin, end, frequency, steps):
    last = min(end, steps)
    if last < begin:
        return 0.0
    last -= (last - begin) % frequency
    return climbing(last, begin, end, final)


def programs(rng):
    frequency = int(rng.choice([20, 50, 100]))
    begin = frequency * int(rng.integers(3, 10)) + int(rng.integers(1, frequency))
    end = begin + frequency * int(rng.integers(8, 15))
    final = round(float(rng.uniform(0.6, 0.95)), 2)
    on, before, short = "the schedule fits", "training is too short", "the frequency does not divide"
    yield Case("training goes on long after the end", (final, begin, end, frequency, 2 * end), on)
    yield Case("training stops exactly at the end", (final, begin, end, frequency, end), on)
    yield Case("from nearly the first step", (0.5, 1, 1 + 5 * frequency, frequency, end), on)
    yield Case("training stops before the schedule begins", (final, begin, end, frequency, begin - 1), before)
    yield Case("training stops half-way", (final, begin, end, frequency, begin + 4 * frequency), before)
    stop = begin + 5 * frequency + int(rng.integers(1, frequency))
    yield Case("training stops between two masks", (final, begin, end, frequency, stop), before)
    late = end - int(rng.integers(1, frequency))
    yield Case("end is not a whole number of turns after begin", (final, begin, late, frequency, 2 * end), short)
    yield Case("the same, and training stops at that end", (final, begin, late, frequency, late), short)
    yield Case("the same, with few turns", (final, 100, 175, 50, 1000), short)


# Wrong answers that take more than a line


def by_the_formula(final, begin, end, frequency, steps):
    last = min(end, steps)
    return climbing(last, begin, end, final) if last >= begin else 0.0


def caught_up_at_the_end(final, begin, end, frequency, steps):
    return final if steps >= end else reached_sparsity(final, begin, end, frequency, steps)


def turns_from_step_0(final, begin, end, frequency, steps):
    last = min(end, steps)
    last -= last % frequency
    return climbing(last, begin, end, final) if last >= begin else 0.0


def turns_after_the_end(final, begin, end, frequency, steps):
    if steps < begin:
        return 0.0
    last = steps - (steps - begin) % frequency
    return climbing(min(last, end), begin, end, final)


# Right answers, written differently


def walk_through_the_steps(final, begin, end, frequency, steps):
    reached = 0.0
    for step in range(1, steps + 1):
        if begin <= step <= end and (step - begin) % frequency == 0:
            reached = final + (0 - final) * (1 - (step - begin) / (end - begin)) ** 3
    return reached


def list_the_turns(final, begin, end, frequency, steps):
    turns = [t for t in range(begin, end + 1, frequency) if t <= steps]
    if not turns:
        return 0.0
    return final * (1 - ((end - turns[-1]) / (end - begin)) ** 3)


EXERCISE = Exercise(
    id="05.reached_sparsity",
    title="What will the program have pruned?",
    points=4,
    minutes=15,
    difficulty=3,
    reference=reached_sparsity,
    cases=programs,
    misconceptions=[
        Misconception(
            wrong=lambda final, begin, end, frequency, steps: final,
            says="You trust the name final_sparsity. It is reached only if a mask is made at the end step: training "
            "must last that long, and the end must be a whole number of turns after begin.",
        ),
        Misconception(
            wrong=lambda final, begin, end, frequency, steps: final if steps >= end else 0.0,
            says="It is not all or nothing: a training that stops half-way keeps the mask of the last turn.",
        ),
        Misconception(
            wrong=by_the_formula,
            says="You took the formula at the last step. But masks are made only every frequency steps from begin on: "
            "what counts is the last turn, not the last step.",
        ),
        Misconception(
            wrong=caught_up_at_the_end,
            says="The toolkit does not catch up at the end step. If the turns from begin step over it, the last mask "
            "is that of the turn before.",
        ),
        Misconception(
            wrong=turns_from_step_0,
            says="You counted the turns from step 0. They are counted from begin: begin, begin + frequency, …",
        ),
        Misconception(
            wrong=turns_after_the_end,
            says="You let a turn after the end count. The toolkit makes no mask after end_step, and so never the "
            "final one if the turns step over it.",
        ),
    ],
    hints=[
        "At which steps is a mask made? Write them down for begin 100, end 175, frequency 50. Which one is the last?",
        "range(begin, end + 1, frequency) are the turns. Keep those up to steps, and put the last into the formula; "
        "if there is none, the sparsity is 0.",
    ],
    also_right=[walk_through_the_steps, list_the_turns],
)
