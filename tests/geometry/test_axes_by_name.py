"""Which axes an array has beside another one."""

import itertools

import numpy as np
import pytest

from ngffseg.errors import UsageError
from ngffseg.geometry import axes_around, axes_beside, check_beside, described_grid, on_axes

LAYOUTS = [
    {"y": 20, "x": 30},
    {"c": 3, "y": 20, "x": 30},
    {"z": 5, "y": 20, "x": 30},
    {"c": 3, "z": 5, "y": 20, "x": 30},
    {"c": 3, "z": 1, "y": 20, "x": 30},
    {"t": 7, "y": 20, "x": 30},
    {"t": 7, "c": 3, "y": 20, "x": 30},
    {"t": 7, "z": 5, "y": 20, "x": 30},
    {"t": 7, "c": 3, "z": 5, "y": 20, "x": 30},
]


@pytest.mark.parametrize("image", LAYOUTS)
def test_each_choice_is_found_by_its_sizes(image):
    """Whatever of the axes labels have, sizes that all differ tell which."""
    for count in range(2, len(image) + 1):
        for names in itertools.combinations(image, count):
            if not {"y", "x"} <= set(names) or ("z" in image and image["z"] > 1 and "z" not in names):
                continue
            assert axes_beside([image[n] for n in names], image) == names
            check_beside(names, image)


@pytest.mark.parametrize(
    ("shape", "image", "expected"),
    [
        # One voxel of time, channels or z: space first, no channels.
        ((1, 20, 30), {"t": 1, "c": 1, "z": 1, "y": 20, "x": 30}, "zyx"),
        ((1, 1, 20, 30), {"t": 1, "c": 1, "z": 1, "y": 20, "x": 30}, "tzyx"),
        ((1, 5, 20, 30), {"t": 1, "c": 3, "z": 5, "y": 20, "x": 30}, "tzyx"),
        ((1, 20, 30), {"t": 7, "c": 3, "y": 20, "x": 30}, "tyx"),
        ((20, 30), {"c": 3, "z": 1, "y": 20, "x": 30}, "yx"),
        # Others may have axes that we have no name for.
        ((5, 20, 30), {"angle": 5, "z": 5, "y": 20, "x": 30}, "zyx"),
    ],
)
def test_axes_of_one_voxel(shape, image, expected):
    assert axes_beside(shape, image) == tuple(expected)


@pytest.mark.parametrize(
    ("shape", "image", "told"),
    [
        ((5, 20, 31), LAYOUTS[8], "what fits is zyx with or without t, c"),
        ((20, 30), LAYOUTS[8], "what fits is zyx with or without t, c"),
        ((3, 5, 20, 30), {"t": 3, "c": 3, "z": 5, "y": 20, "x": 30}, "tzyx or czyx"),
        ((2, 7, 3, 5, 20, 30), LAYOUTS[8], "do not fit"),
    ],
)
def test_what_does_not_fit_is_refused(shape, image, told):
    with pytest.raises(UsageError, match=told):
        axes_beside(shape, image)


@pytest.mark.parametrize(
    ("axes", "told"), [("tyx", "no axis t"), ("yx", "lack the axis z"), ("tzyx", "zyx with or without c")]
)
def test_names_that_do_not_fit_are_refused(axes, told):
    with pytest.raises(UsageError, match=told):
        check_beside(tuple(axes), {"c": 3, "z": 5, "y": 20, "x": 30})


def test_an_image_has_channels_besides():
    labels = described_grid((7, 20, 30), axes="tyx")
    assert axes_around((7, 3, 20, 30), labels) == ("t", "c", "y", "x")
    assert axes_around((7, 20, 30), labels) == ("t", "y", "x")
    assert axes_around((2, 3, 20, 30), described_grid((20, 30))) == ("t", "c", "y", "x")
    for shape in ((20, 30), (7, 3, 20, 31), (1, 2, 3, 20, 30)):
        with pytest.raises(UsageError, match="an image of shape"):
            axes_around(shape, labels)


def test_a_grid_of_some_axes_lies_where_it_lay():
    grid = described_grid(
        (7, 3, 5, 20, 30),
        scale=(2, 1, 3, 0.5, 0.25),
        translation={"z": 9, "x": 1},
        units=("s", None, "um", "um", "um"),
    )
    some = on_axes(grid, ("z", "y", "x"))
    assert some == described_grid((5, 20, 30), scale=(3, 0.5, 0.25), translation=(9, 0, 1), units="um")
    plane = on_axes(grid, ("y", "x"))
    np.testing.assert_array_equal(plane.affine, grid.affine)
    assert plane.shape == (20, 30)
    assert on_axes(grid, grid.axes) == grid
