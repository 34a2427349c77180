"""Recognise a method by what it made smaller."""

from course_lib.classroom import Exercise, Misconception

RIGHT = {"dense": "C", "unstructured": "E", "structured": "A", "int8": "D", "unstructured + int8": "B"}

EXERCISE = Exercise(
    id="01.which_row",
    title="Who is who?",
    points=2,
    minutes=5,
    difficulty=2,
    reference=RIGHT,
    misconceptions=[
        Misconception(
            wrong=RIGHT | {"unstructured": "A", "structured": "E"},
            says="You have the two kinds of pruning the wrong way round. Single zeros leave file and MACs as they "
            "are; units that are removed lower both.",
        ),
        Misconception(
            wrong=RIGHT | {"dense": "E", "unstructured": "C"},
            says="Two files have the same bytes. The one with the zeros is the one that gzip can pack.",
        ),
        Misconception(
            wrong=RIGHT | {"int8": "B", "unstructured + int8": "D"},
            says="Two files have a quarter of the bytes. A quantized file without zeros hardly gets smaller by gzip.",
        ),
        Misconception(
            wrong=RIGHT | {"structured": "D", "int8": "A"},
            says="Quantization stores each number in fewer bytes and does not change how many products are computed. "
            "Only one row has fewer MACs.",
        ),
        Misconception(
            wrong=RIGHT | {"unstructured": "D", "int8": "E"},
            says="Zeros do not make the raw file smaller: a zero takes four bytes in float32. Bytes of a quarter "
            "mean one byte a number.",
        ),
    ],
    hints=[
        "Begin with the column of MACs: only one method changes it.",
        "Then the bytes: a quarter of them means one byte a number. Of two equal files, gzip packs the one with zeros.",
    ],
)
