import io
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
from PIL import Image

from course_lib import deploy, masks, models, plots

matplotlib.use("Agg")

KEPT = {"one": np.arange(12).reshape(6, 2) > 8, "two": np.array([[True, False], [True, True]])}
SCAN = SimpleNamespace(sparsities=(0.5, 0.9), losses={"one": (0.5, 2.0), "two": (0.4, 0.7)}, loss=0.3)
FOUND = deploy.Parity(0.5, 0.75, changed=np.array([2, 5]), answers=np.array([[1, 0], [2, 1]]))
CURVES = {"magnitude": {0.9: [0.7, 0.8, 0.9], 0.5: [0.9, 0.9, 0.9]}, "random": {0.5: [0.6], 0.9: [0.2]}}


@pytest.fixture(autouse=True)
def _closed():
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


def test_a_matrix_shows_its_numbers_and_a_zero_as_an_empty_square():
    ax = plots.matrix(np.array([[1.25, 0.0, -2.0]]), title="the finding")
    assert [text.get_text() for text in ax.texts] == ["1.2", "0", "-2.0"]
    assert ax.get_title(loc="left") == "the finding"
    (image,) = ax.images
    assert np.ma.getmaskarray(image.get_array()).tolist() == [[False, True, False]]
    assert image.get_clim() == (-2, 2)


def test_matrices_that_are_compared_share_their_colours_and_a_given_axes_is_used():
    first = plots.matrix(np.eye(2), limit=4)
    assert plots.matrix(np.zeros((2, 2)), ax=first) is first
    assert first.images[0].get_clim() == (-4, 4) and first.images[1].get_clim() == (-1, 1)


def test_another_number_of_axes_is_refused():
    with pytest.raises(ValueError, match=r"shape \(3,\); a matrix has two axes"):
        plots.matrix(np.ones(3))


def test_the_style_makes_figures_readable_on_a_dark_page_and_lines_differ_without_colour():
    with matplotlib.rc_context():
        plots.style()
        assert matplotlib.rcParams["figure.facecolor"] == "white"
        dashes = [str(line["linestyle"]) for line in matplotlib.rcParams["axes.prop_cycle"]]
        assert len(set(dashes)) == len(dashes) == 6


def test_a_histogram_counts_all_weights_and_the_zeros_apart():
    ax = plots.histogram(np.array([0.0, -0.0, 0.0, 1e-9, -1.0, 3.0]), "the finding", bins=[-1, 0, 1, 2, 3])
    assert [bar.get_height() for bar in ax.patches] == [1, 1, 0, 1]  # the tiny one is not a zero
    assert ax.lines[0].get_xydata()[1].tolist() == [0, 3]
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["not 0: 3", "exactly 0: 3 of 6 weights (50.0%)"]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == ("weight", "number of weights", "log")
    assert ax.get_title(loc="left") == "the finding"


def test_a_histogram_takes_a_model_a_mapping_or_nothing_but_zeros():
    model = models.lenet_300_100(width=0.01)
    ax = plots.histogram(model)
    assert sum(bar.get_height() for bar in ax.patches) == 784 * 3 + 3 * 1 + 1 * 10  # kernels, no biases
    assert ax.lines[:] == []
    ax = plots.histogram({"a": np.ones(3), "b": np.zeros((2, 2))})
    assert sum(bar.get_height() for bar in ax.patches) == 3 and ax.lines[0].get_ydata()[1] == 4
    assert len(plots.histogram(np.zeros(3)).patches) == 0


def test_a_mask_is_dark_where_weights_are_kept_and_units_go_to_the_right():
    kept = np.random.default_rng(0).random((2, 3, 4, 5)) < 0.4
    ax = plots.mask(kept, "the finding")
    (image,) = ax.images
    np.testing.assert_array_equal(image.get_array(), kept.reshape(24, 5))
    assert image.cmap(image.norm(1))[:3] == (0, 0, 0) and image.cmap(image.norm(0))[:3] == (1, 1, 1)
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title(loc="left")) == ("unit", "input", "the finding")


def test_a_folded_mask_counts_the_connections_of_every_pixel():
    kept = np.random.default_rng(0).random((4 * 5 * 3, 7)) < 0.4  # 4 rows, 5 columns, 3 channels
    ax = plots.mask(kept, fold=(4, 5))
    expected = [
        [sum(kept[(row * 5 + column) * 3 + c].sum() for c in range(3)) for column in range(5)] for row in range(4)
    ]
    assert ax.images[0].get_array().tolist() == expected
    assert ax.images[0].colorbar.ax.get_ylabel() == "connections kept"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("column (pixels)", "row (pixels)")


def test_bars_are_as_long_as_the_tensors_are_sparse():
    ax = plots.sparsity_by_layer(masks.Masks(KEPT))
    np.testing.assert_allclose([bar.get_width() for bar in ax.patches], [75, 25])
    assert [text.get_text() for text in ax.get_yticklabels()] == ["one", "two"] and ax.yaxis_inverted()
    assert [text.get_text() for text in ax.texts] == ["75.0%: 3 of 12 kept", "25.0%: 3 of 4 kept"]
    assert ax.lines[0].get_xdata()[0] == 100 * (1 - 6 / 16) and "the whole model, 62.5%" in ax.get_xlabel()


def test_sensitivity_lines_are_the_scan():
    ax = plots.sensitivity(SCAN)
    base, *lines = ax.lines
    assert base.get_ydata()[0] == 0.3
    for line, (path, losses) in zip(lines, SCAN.losses.items(), strict=True):
        assert line.get_label() == path
        assert line.get_xydata().tolist() == list(map(list, zip(SCAN.sparsities, losses, strict=True)))
    assert ax.get_ylabel() == "loss" and ax.get_xlabel() == "sparsity of this tensor alone (fraction of zeros)"


def test_a_trade_off_shows_means_and_sample_deviations_in_order():
    ax = plots.trade_off(CURVES, y="accuracy (%)")
    (magnitude, _, (bars,)), (random, _, (none,)) = ax.containers
    np.testing.assert_allclose(magnitude.get_xydata(), [[0.5, 0.9], [0.9, 0.8]])
    np.testing.assert_allclose(random.get_xydata(), [[0.5, 0.6], [0.9, 0.2]])
    np.testing.assert_allclose(bars.get_segments(), [[[0.5, 0.9], [0.5, 0.9]], [[0.9, 0.7], [0.9, 0.9]]])
    np.testing.assert_allclose(np.ptp([segment[:, 1] for segment in none.get_segments()], axis=1), 0)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("sparsity (fraction of zeros)", "accuracy (%)")
    assert ax.get_legend().get_title().get_text() == "mean ± std, 3 seeds"
    ax = plots.trade_off({"magnitude": {10: [0.8], 2: [0.9]}}, x="ratio")
    assert ax.get_xscale() == "log" and [text.get_text() for text in ax.get_xticklabels()] == ["2×", "10×"]
    assert "÷" in ax.get_xlabel() and ax.get_legend().get_title().get_text() == ""


def test_many_lines_all_look_different_and_six_do_without_colour():
    scan = SimpleNamespace(sparsities=(0.5,), losses={f"tensor {i}": (1.0,) for i in range(42)}, loss=1.0)
    looks = [
        (line.get_color(), str(line._dash_pattern), line.get_marker()) for line in plots.sensitivity(scan).lines[1:]
    ]
    assert len(set(looks)) == 42
    assert len({dash for _, dash, _ in looks[:6]}) == len({marker for _, _, marker in looks[:6]}) == 6


@pytest.mark.parametrize(
    "draw",
    [
        lambda ax: plots.matrix(np.eye(3), "finding", ax),
        lambda ax: plots.histogram(np.arange(9.0), "finding", ax),
        lambda ax: plots.mask(KEPT["one"], "finding", ax),
        lambda ax: plots.mask(KEPT["one"], "finding", ax, fold=(2, 3)),
        lambda ax: plots.sparsity_by_layer(KEPT, "finding", ax),
        lambda ax: plots.sensitivity(SCAN, "finding", ax),
        lambda ax: plots.trade_off(CURVES, "finding", ax),
        lambda ax: plots.waterfall(9e5, {"prune": (1e5, 1e5)}, "finding", ax),
        lambda ax: plots.changed(FOUND, np.ones((9, 4, 4, 1)), "finding", ax),
    ],
)
def test_every_picture_is_drawn_on_the_axes_given_and_can_be_written(draw):
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots()
    assert draw(ax) is ax and ax.get_title(loc="left") == "finding"
    figure.savefig(file := io.BytesIO(), format="png")
    assert np.unique(np.asarray(Image.open(file)).reshape(-1, 4), axis=0).shape[0] > 2  # something is drawn
    assert len(plt.get_fignums()) == 1


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="weights holds 2 values, of which 1 are finite"):
        plots.histogram(np.array([1.0, np.nan]))
    with pytest.raises(ValueError, match="weights holds 0 values"):
        plots.histogram({})
    with pytest.raises(ValueError, match=r"kept is float64 of shape \(2, 2\); it must be bool"):
        plots.mask(np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"fold is \(4, 4\), but the mask has 6 inputs"):
        plots.mask(KEPT["one"], fold=(4, 4))
    with pytest.raises(ValueError, match="masks is empty"):
        plots.sparsity_by_layer({})
    with pytest.raises(ValueError, match="x is 'bytes'; choose 'sparsity' or 'ratio'"):
        plots.trade_off(CURVES, x="bytes")
    for curves in ({}, {"magnitude": {}}, {"magnitude": {0.5: []}}):
        with pytest.raises(ValueError, match="curves holds no value for"):
            plots.trade_off(curves)
