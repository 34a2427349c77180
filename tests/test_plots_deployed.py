"""The pictures of a model that is shipped; what holds for every picture is in test_plots."""

import matplotlib
import numpy as np
import pytest

from course_lib import deploy, plots

matplotlib.use("Agg")

STEPS = {"prune": (200_000, 200_000), "cluster": (50_000, 500_000), "sparse format": (40_000, 1_600_000)}
FOUND = deploy.Parity(0.5, 0.5, changed=np.array([1, 3, 4]), answers=np.array([[0, 1], [2, 1], [1, 2]]))
NAMES = ("Coat", "Bag", "Boot")


@pytest.fixture(autouse=True)
def _closed():
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


@pytest.fixture
def images():
    """Six images of 2 × 3 pixels, each with its number in all of them."""
    return np.arange(6.0)[:, None, None, None] * np.ones((6, 2, 3, 1))


def ends(bar):
    return sorted([bar.get_x(), bar.get_x() + bar.get_width()])


def test_a_waterfall_goes_from_size_to_size_and_shows_each_step_alone():
    ax = plots.waterfall(800_000, STEPS, "the finding")
    path, alone = ax.patches[::2], ax.patches[1::2]
    assert [ends(bar) for bar in path] == [[200_000, 800_000], [50_000, 200_000], [40_000, 50_000]]
    assert [ends(bar) for bar in alone] == [[200_000, 800_000], [500_000, 800_000], [800_000, 1_600_000]]
    assert all(one.get_y() + one.get_height() <= two.get_y() + 1e-9 for one, two in zip(path, alone, strict=True))
    assert [label.get_text() for label in ax.get_yticklabels()] == list(STEPS) and ax.yaxis_inverted()


def test_the_numbers_of_a_waterfall_are_kilobytes_and_factors_that_multiply_to_the_whole():
    ax = plots.waterfall(800_000, STEPS)
    assert [text.get_text() for text in ax.texts] == [
        "200.0 kB (÷ 4.0)", "alone 200.0 kB (÷ 4.0)",
        "50.0 kB (÷ 4.0)", "alone 500.0 kB (÷ 1.6)",
        "40.0 kB (÷ 1.2)", "alone 1,600.0 kB (÷ 0.5)",
    ]  # fmt: skip
    assert "kB of 1,000 bytes, logarithmic" in ax.get_xlabel()
    assert ax.get_xlabel().endswith("800.0 kB to 40.0 kB, ÷ 20.0")
    assert ax.get_xscale() == "log"
    formatted = ax.xaxis.get_major_formatter().format_ticks(ax.get_xticks())
    assert dict(zip(ax.get_xticks(), formatted, strict=True))[100_000] == "100"


def test_the_bars_of_a_waterfall_differ_without_colour_and_their_text_stays_inside():
    ax = plots.waterfall(800_000, STEPS)
    assert all(not bar.get_hatch() for bar in ax.patches[::2]) and all(bar.get_hatch() for bar in ax.patches[1::2])
    ax.figure.canvas.draw()
    left = ax.get_window_extent().x0
    assert min(text.get_window_extent().x0 for text in ax.texts) > left


@pytest.mark.parametrize(("start", "steps"), [(9, {}), (0, STEPS), (9, {"prune": (3, 0)}), (9, {"prune": (-3, 3)})])
def test_a_waterfall_needs_steps_and_sizes(start, steps):
    with pytest.raises(ValueError, match=r"start is .* at least one step, and bytes above 0"):
        plots.waterfall(start, steps)


def test_changed_images_are_shown_with_both_answers_and_the_right_one_is_marked(images):
    ax = plots.changed(FOUND, images, names=NAMES, y=np.array([0, 0, 0, 1, 0, 0]))
    assert [image.get_array().tolist() for image in ax.images] == [images[i, ..., 0].tolist() for i in (1, 3, 4)]
    assert [text.get_text().split("\n") for text in ax.texts] == [
        ["image 1", "model: Coat ✓", "file: Bag"],
        ["image 3", "model: Boot", "file: Bag ✓"],
        ["image 4", "model: Bag", "file: Boot", "truth: Coat"],
    ]


def test_without_names_and_truth_the_classes_are_numbers_and_the_first_ones_are_drawn(images):
    ax = plots.changed(FOUND, images[..., 0], most=2)
    assert [text.get_text() for text in ax.texts] == ["image 1\nmodel: 0\nfile: 1", "image 3\nmodel: 2\nfile: 1"]
    assert ax.get_xlabel() == "3 changed, 2 shown"


def test_many_images_do_not_overlap_and_colour_stays_colour():
    n = 14
    found = deploy.Parity(0.5, 0, changed=np.arange(n), answers=np.tile([0, 1], (n, 1)))
    ax = plots.changed(found, np.random.default_rng(0).random((n, 4, 4, 3)), most=n)
    corners = {tuple(np.round(image.get_extent(), 6)) for image in ax.images}
    assert len(corners) == n and ax.images[0].get_array().shape == (4, 4, 3)
    ax.figure.canvas.draw()
    boxes = [artist.get_window_extent() for artist in (*ax.images, *ax.texts)]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_pictures_that_cannot_be_drawn(images):
    none = deploy.Parity(0, 1, changed=np.array([], int), answers=np.empty((0, 2), int))
    with pytest.raises(ValueError, match="every class is the same"):
        plots.changed(none, images)
    with pytest.raises(ValueError, match=r"x has the shape \(6, 4\); images are"):
        plots.changed(FOUND, np.ones((6, 4)))
    with pytest.raises(ValueError, match=r"x has the shape \(6, 4, 4, 2\); images are"):
        plots.changed(FOUND, np.ones((6, 4, 4, 2)))
    with pytest.raises(ValueError, match="x has 4 rows, and row 4 changed"):
        plots.changed(FOUND, images[:4])
    with pytest.raises(ValueError, match="y has 2 rows, and row 4 changed"):
        plots.changed(FOUND, images, y=[0, 1])
