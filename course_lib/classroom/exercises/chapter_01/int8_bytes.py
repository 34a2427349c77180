"""The bytes of a network's weights and biases in 8 bits."""

from course_lib.classroom import Exercise, Misconception

EXERCISE = Exercise(
    id="01.int8_bytes",
    title="Bytes after quantization",
    points=2,
    minutes=5,
    difficulty=1,
    reference=266_200 * 1 + 410 * 4,
    misconceptions=[
        Misconception(
            wrong=266_610,
            says="You took one byte for every parameter. The biases are stored with four.",
        ),
        Misconception(
            wrong=266_200,
            says="These are the weights. The biases are missing: few, but stored too.",
        ),
        Misconception(
            wrong=4 * 266_610,
            says="This is the size in float32, before quantization. A weight takes one byte now.",
        ),
        Misconception(
            wrong=4 * 266_200 + 410,
            says="You have weights and biases the wrong way round: one byte for a weight, four for a bias.",
        ),
        Misconception(
            wrong=8 * 266_200 + 32 * 410,
            says="This is the number of bits. A byte has eight.",
        ),
        Misconception(
            wrong=266_200 + 4 * 1_194,
            says="You gave the 784 inputs a bias too. Only units have one.",
        ),
    ],
    hints=[
        "Count the weights and the biases apart. The lesson's formulas have one term for each.",
        "784·300 + 300·100 + 100·10 weights of one byte, 300 + 100 + 10 biases of four.",
    ],
)
