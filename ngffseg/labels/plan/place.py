"""Where labels lie that came as an array: by a geometry, by words, by what the array tells, or beside an image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from ngffseg.errors import UsageError
from ngffseg.geometry import (
    SPACE,
    Geometry,
    axes_around,
    axes_beside,
    axis_names,
    check_beside,
    described_grid,
    on_axes,
    scales,
    sizes_text,
)
from ngffseg.labels.plan.image_levels import image_levels, image_sizes
from ngffseg.labels.plan.place_words import PlaceOptions
from ngffseg.labels.read.image_group import ImageGroup
from ngffseg.model import ArrayLike, Volume, check_description, grid_of_array, words_of_array


def described_image(image: Volume | ArrayLike | None) -> Volume | ArrayLike | None:
    """An image that is written with labels; an array that tells its grid, as xarray does, is a volume."""
    if image is None or isinstance(image, Volume):
        return image
    grid = grid_of_array(image)
    return image if grid is None else Volume(image, grid)


def labels_grid(
    image_group: ImageGroup | None,
    shape: Sequence[int],
    given: Sequence[Any],
    geometry: Geometry | None,
    image: Volume | ArrayLike | None,
    words: PlaceOptions,
) -> Geometry:
    """The grid of labels of a shape.

    Parameters
    ----------
    image_group
        What the store says of its image: where nobody tells a grid, it is that of this.
    shape
        Of the labels, in the order t, c, z, y, x.
    given
        The labels as they were handed in: some kinds of arrays tell axes and coordinates.
    geometry
        The grid, where it is told; else that of the ``image`` that is written with them.
    words
        What is told in simple words.

    Raises
    ------
    UsageError
        If it is told twice, what is told contradicts itself, or it is not known where the labels lie.
    """
    grid = _grid(image_group, shape, words_of_array(given[0]), geometry, image, words)
    for array in given:
        check_description(array, grid)
    return grid


def _grid(
    image_group: ImageGroup | None,
    shape: Sequence[int],
    described: Mapping[str, Any],
    geometry: Geometry | None,
    image: Volume | ArrayLike | None,
    words: PlaceOptions,
) -> Geometry:
    if geometry is not None:
        if words:
            raise UsageError(
                f"geometry and {', '.join(words)}: both tell where the labels lie, give one of them"
            )
        return geometry
    if image is not None:
        image_group = None  # this one is going to be the image
    volume = image if isinstance(image, Volume) else None
    sizes = image_sizes(image_group)
    if volume is not None:
        sizes = dict(zip(volume.geometry.axes, volume.geometry.shape, strict=True))
    if not sizes:
        return described_grid(shape, **{**described, **words})
    names = words.get("axes") or described.get("axes")
    axes = axis_names(names) if names else axes_beside(shape, sizes)
    check_beside(axes, sizes)
    levels = image_levels(image_group, axes)
    known = levels.grid if levels is not None else volume.geometry if volume is not None else None
    assert known is not None
    grid = on_axes(known, axes)
    # Along time and channels labels may have one for all.
    fits = (
        n == own or (n == 1 and a not in SPACE) for a, n, own in zip(axes, shape, grid.shape, strict=False)
    )
    if len(shape) != len(axes) or not all(fits):
        raise UsageError(
            f"labels of shape {tuple(shape)} with the axes {''.join(axes)} do not fit the image ({sizes_text(sizes)}):"
            " give their geometry if they are a part of it"
        )
    _check_words(grid, words)
    return replace(grid, shape=tuple(shape))


def _check_words(grid: Geometry, words: PlaceOptions) -> None:
    """Refuse words that tell another place than the image has: nothing would come of them."""
    further = cast("dict[str, Any]", {key: value for key, value in words.items() if key != "axes"})
    described = _by_axis(described_grid(grid.shape, axes=grid.axes, **further))
    known = _by_axis(grid)
    for key, value in further.items():
        # One unit is that of the space axes; names tell of theirs alone.
        named = SPACE if isinstance(value, str) else value if isinstance(value, Mapping) else grid.axes
        wrong = [axis for axis in grid.axes if axis in named and described[key][axis] != known[key][axis]]
        if wrong:
            raise UsageError(
                f"{key} {value}: the image has {known[key][wrong[0]]} along {wrong[0]}, and labels lie on its voxels:"
                f" leave {key} out"
            )


def _by_axis(grid: Geometry) -> dict[str, dict[str, Any]]:
    """Scale, translation and unit of each axis."""
    starts = {axis: float(grid.affine[row, 3]) for row, axis in enumerate("xyz")}
    return {
        "scale": dict(zip(grid.axes, scales(grid), strict=True)),
        "translation": {axis: starts.get(axis, 0.0) for axis in grid.axes},
        "units": dict(zip(grid.axes, grid.units, strict=True)),
    }


def image_beside(image: Volume | ArrayLike | None, labels: Geometry) -> Volume | None:
    """The image that is written with labels: an array lies on their grid, and may have channels and time besides.

    Raises
    ------
    UsageError
        If its shape is another one.
    """
    if image is None or isinstance(image, Volume):
        return image
    if not hasattr(image, "shape"):
        return Volume(image, labels)  # which says what is wrong
    axes = axes_around(image.shape, labels)
    units = dict(zip(labels.axes, labels.units, strict=True))
    grid = replace(labels, shape=image.shape, axes=axes, units=tuple(units.get(axis) for axis in axes))
    return Volume(image, grid)
