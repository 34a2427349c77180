"""The parameters of LeNet-300-100 after neurons of both hidden layers are gone."""

from course_lib.classroom import Exercise, Misconception

EXERCISE = Exercise(
    id="06.parameters_left",
    title="How large is what is left?",
    points=2,
    minutes=6,
    difficulty=2,
    reference=784 * 150 + 150 + 150 * 25 + 25 + 25 * 10 + 10,
    misconceptions=[
        Misconception(
            wrong=784 * 150 + 150 + 300 * 25 + 25 + 100 * 10 + 10,
            says="You took the columns of each kernel and left the rows. A neuron that is gone is no input of the next "
            "layer either.",
        ),
        Misconception(
            wrong=784 * 150 + 300 + 150 * 25 + 100 + 25 * 10 + 10,
            says="The biases of the neurons that are gone are still counted: 300 and 100 of them.",
        ),
        Misconception(
            wrong=784 * 150 + 150 * 25 + 25 * 10,
            says="These are the weights without the biases. A parameter is a weight or a bias.",
        ),
        Misconception(
            wrong=266_610 - (784 * 150 + 150 + 150 * 25 + 25 + 25 * 10 + 10),
            says="This is how many parameters are gone. How many are left?",
        ),
        Misconception(
            wrong=784 * 150 + 150 + 150 * 25 + 25 + 25 * 5 + 5,
            says="You cut the output layer's units as well. It has one for each class: ten before and ten after.",
        ),
    ],
    hints=[
        "Write the net as 784-150-25-10. How many weights has each kernel, and how many biases has each layer?",
        "784 · 150 + 150, then 150 · 25 + 25, then 25 · 10 + 10.",
    ],
)
