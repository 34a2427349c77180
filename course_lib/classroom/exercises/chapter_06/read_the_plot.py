"""Three neurons to be recognised in a plot of activation against the rise of the loss."""

from course_lib.classroom import Exercise, Misconception

EXERCISE = Exercise(
    id="06.read_the_plot",
    title="Who can go, and how?",
    points=2,
    minutes=6,
    difficulty=2,
    reference={"remove it": "D", "move it into a bias": "F", "keep it, though activation says no": "B"},
    misconceptions=[
        Misconception(
            {"remove it": "A", "move it into a bias": "F", "keep it, though activation says no": "B"},
            "A has the lowest activation, but D costs less: look at the height, not at the place from left to right.",
        ),
        Misconception(
            {"remove it": "D", "move it into a bias": "C", "keep it, though activation says no": "B"},
            "C costs nearly as much with its mean in the bias as without it: it varies, and somebody listens. "
            "Look for the neuron whose two marks are farthest apart.",
        ),
        Misconception(
            {"remove it": "D", "move it into a bias": "E", "keep it, though activation says no": "B"},
            "E has a smaller way from the filled to the hollow mark than another neuron, and ends higher. "
            "Look for the one that costs much when silenced and next to nothing with a bias.",
        ),
        Misconception(
            {"remove it": "D", "move it into a bias": "F", "keep it, though activation says no": "C"},
            "C should stay, but it is among the most active, and its activation says so too. Look on the left.",
        ),
        Misconception(
            {"remove it": "D", "move it into a bias": "F", "keep it, though activation says no": "A"},
            "A is quiet, but it is hardly missed. Look for one on the left whose marks are *both* high.",
        ),
    ],
    hints=[
        "Height is what the loss loses; from left to right is what the article looks at. Filled: silenced. Hollow: a "
        "bias stands in.",
        "The first has both marks at the bottom though it stands far to the right; the second the longest line; the "
        "third stands on the left with both marks high.",
    ],
)
