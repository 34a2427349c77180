"""How many optimizer steps a training makes."""

from course_lib.classroom import Exercise, Misconception

EXERCISE = Exercise(
    id="05.optimizer_steps",
    title="Count the steps",
    points=1,
    minutes=3,
    difficulty=1,
    reference=1410,
    misconceptions=[
        Misconception(
            wrong=1400,
            says="The last, smaller batch of each epoch makes a step too: round up, in every epoch.",
        ),
        Misconception(
            wrong=1407,
            says="You divided all images of all epochs by the batch. Each epoch ends with a batch of its own that is "
            "not full: round up in the epoch, then multiply.",
        ),
        Misconception(
            wrong=1406,
            says="You divided all images of all epochs by the batch. Each epoch ends with a batch of its own that is "
            "not full: round up in the epoch, then multiply.",
        ),
        Misconception(wrong=141, says="These are the steps of one epoch. There are ten."),
        Misconception(
            wrong=180_000,
            says="You counted images. The optimizer makes one step for each batch.",
        ),
    ],
    hints=["How many batches has an epoch? The last one may be smaller.", "18,000 / 128 is 140.6, so 141 an epoch."],
)
