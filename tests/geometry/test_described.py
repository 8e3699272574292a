"""Grids in simple words."""

import numpy as np
import pytest

from ngffseg.errors import UsageError
from ngffseg.geometry import described_grid, identity


def test_words_become_numbers():
    grid = described_grid(
        (5, 3, 4, 6),
        axes="tzyx",
        scale=(2.5, 1.0, 0.5, 0.25),
        translation={"y": -3},
        units=("s", None, "µm", "microns"),
    )
    assert grid.axes == ("t", "z", "y", "x")
    assert grid.units == ("second", None, "micrometer", "micrometer")
    assert grid.time_step == 2.5
    assert grid.frame is None
    expected = np.diag([0.25, 0.5, 1.0, 1.0])
    expected[1, 3] = -3
    np.testing.assert_array_equal(grid.affine, expected)


def test_a_unit_is_that_of_all_space_axes():
    assert described_grid((2, 3, 4), axes=["c", "y", "x"], units="nanometer").units == (
        None,
        "nanometer",
        "nanometer",
    )


def test_no_words_tell_nothing():
    assert described_grid((3, 4, 5)) == identity((3, 4, 5))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"axes": "xyz"}, "in that order"),
        ({"axes": "zyq"}, "give some of t, c, z, y, x"),
        ({"axes": "yx"}, "the shape"),
        ({"axes": "tcx"}, "two of space"),
        ({"axes": (1, 2, 3)}, "give some of"),
        ({"scale": (1, 2)}, "a number per axis"),
        ({"scale": 3}, "a number per axis"),
        ({"scale": (1, 0, 1)}, "above 0"),
        ({"scale": (1, -1, 1)}, "above 0"),
        ({"scale": (1, float("nan"), 1)}, "a number per axis"),
        ({"scale": {"t": 3}}, "names the axis 't'"),
        ({"translation": ("a", 0, 0)}, "a number per axis"),
        ({"axes": "tyx", "translation": (1, 0, 0)}, "only space axes"),
        ({"axes": "cyx", "scale": (2, 1, 1)}, "only space axes"),
        ({"units": "furlong"}, "is not known"),
        ({"units": ("mm", "mm")}, "one per axis"),
        ({"axes": "tyx", "units": ("mm", "mm", "mm")}, "of time"),
        ({"axes": "cyx", "units": ("mm", "mm", "mm")}, "channels have no unit"),
        ({"units": {"t": "s"}}, "names the axis 't'"),
    ],
)
def test_words_without_meaning_are_refused(words, told):
    with pytest.raises(UsageError, match=told) as caught:
        described_grid((3, 4, 5), **words)
    assert "\n" not in str(caught.value)
