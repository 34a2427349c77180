import matplotlib
import numpy as np
import pytest

from course_lib import plots

matplotlib.use("Agg")


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
