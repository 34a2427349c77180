"""Four pictures of sparsity during training, and what happened in each."""

from course_lib.classroom import Exercise, Misconception

EXERCISE = Exercise(
    id="05.four_traces",
    title="Read four traces",
    points=2,
    minutes=8,
    difficulty=2,
    reference="CADB",
    misconceptions=[
        Misconception(
            wrong="DACB",
            says="You have C and D the wrong way round. C never had a mask, so begin_step lies beyond the last step. "
            "In D a first fit reached its target, and then somebody trained on without the callback.",
        ),
        Misconception(
            wrong="CBDA",
            says="You took the climb that stops for a program that ended well. A breaks off while it still rises: "
            "training ended before end_step. B comes to rest on its plateau.",
        ),
        Misconception(
            wrong="CABD",
            says="You have B and D the wrong way round. In B the zeros are back at the end of every epoch, which the "
            "callback sees to. In D they do not come back.",
        ),
    ],
    hints=[
        "Look at the last step of each trace first: where should it be, and where is it?",
        "In B the spikes come at the ends of the epochs: the callback is at work, to the end. C has none at all.",
    ],
)
