"""Where labels lie that came as an array: by a geometry, by words, or beside an image."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypedDict, cast

import numpy as np

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
    sizes_told,
)
from ngffseg.geometry.described import Numbers, Units
from ngffseg.keywords import Kind
from ngffseg.labels.address import split_address
from ngffseg.labels.image_levels import image_levels, image_sizes
from ngffseg.labels.options import WriteOptions
from ngffseg.labels.parent import Parent, find_parent
from ngffseg.model import ArrayLike, Volume
from ngffseg.store import open_store, store_errors


class PlaceOptions(TypedDict, total=False):
    """Where labels lie, in simple words, instead of a ``geometry``.

    axes
        Names of the axes of the labels, as ``"tyx"``: of t, c, z, y, x in that order. By default those of the image
        that their shape fits, without an image the last of t, z, y, x. Labels need no axis of time or channels
        that their image has: they are shared by all of them.
    scale
        Distance of neighbouring voxels per axis, in array order or by name, as ``{"y": 0.5, "x": 0.5}``. By default
        that of the image, else 1.
    translation
        Place of the centre of voxel 0, as ``scale``; by default that of the image, else 0.
    units
        One unit for all space axes, as ``"micrometer"``, or one per axis, or by name.
    """

    axes: str | Sequence[str]
    scale: Numbers
    translation: Numbers
    units: Units


class PlacedOptions(WriteOptions, PlaceOptions, total=False):
    """Options of writing, and where labels lie."""


def _listed(value: Any) -> Any:
    """A text, a mapping or a list of texts and numbers, as it is."""
    if isinstance(value, Mapping):
        return dict(value)
    listed = value if isinstance(value, str) else np.asarray(value, dtype=object).tolist()
    if not isinstance(listed, str | list):
        raise TypeError
    return listed


_WORDS = Kind("a value per axis, in array order or by name", _listed)
PLACE_KEYWORDS = {
    "axes": Kind("some of t, c, z, y, x in that order, such as 'tyx'", axis_names).or_none(),
    "scale": _WORDS.or_none(),
    "translation": _WORDS.or_none(),
    "units": _WORDS.or_none(),
}


def place_of(options: PlacedOptions) -> tuple[PlaceOptions, WriteOptions]:
    """The words among some options that tell where labels lie, and the other options."""
    words = {key: value for key, value in options.items() if key in PLACE_KEYWORDS and value is not None}
    rest = {key: value for key, value in options.items() if key not in PLACE_KEYWORDS}
    return cast("PlaceOptions", words), cast("WriteOptions", rest)


def place_from_text(texts: Mapping[str, str]) -> PlaceOptions:
    """Words that tell where labels lie, from texts: of the command line, of cells of a table.

    Values per axis are parted by commas; "none" is no unit.

    Raises
    ------
    UsageError
        If a number is none.
    """
    found: dict[str, Any] = dict(texts)
    for key in texts.keys() & {"scale", "translation"}:
        try:
            found[key] = [float(part) for part in texts[key].split(",")]
        except ValueError:
            raise UsageError(
                f"{key} {texts[key]!r}: give a number per axis, parted by commas, such as 1,0.5,0.5"
            ) from None
    if "," in texts.get("units", ""):
        found["units"] = [None if unit.strip() == "none" else unit for unit in texts["units"].split(",")]
    return cast("PlaceOptions", found)


def labels_grid(
    url: str | os.PathLike[str],
    shape: Sequence[int],
    geometry: Geometry | None,
    image: Volume | ArrayLike | None,
    words: PlaceOptions,
) -> Geometry:
    """The grid of labels of a shape.

    Parameters
    ----------
    url
        Address of the store: where nobody tells a grid, it is that of its image.
    geometry
        The grid, where it is told; else that of the ``image`` that is written with them.
    words
        What is told in simple words.

    Raises
    ------
    UsageError
        If it is told twice, or it is not known where the labels lie.
    """
    if geometry is not None:
        if words:
            raise UsageError(
                f"geometry and {', '.join(words)}: both tell where the labels lie, give one of them"
            )
        return geometry
    parent = _parent(url) if image is None else None
    volume = image if isinstance(image, Volume) else None
    sizes = image_sizes(parent)
    if volume is not None:
        sizes = dict(zip(volume.geometry.axes, volume.geometry.shape, strict=True))
    if not sizes:
        return described_grid(shape, **words)
    axes = axis_names(words["axes"]) if "axes" in words else axes_beside(shape, sizes)
    check_beside(axes, sizes)
    levels = image_levels(parent, axes)
    known = levels.grid if levels is not None else volume.geometry if volume is not None else None
    assert known is not None
    grid = on_axes(known, axes)
    # Along time and channels labels may have one for all.
    fits = (
        n == own or (n == 1 and a not in SPACE) for a, n, own in zip(axes, shape, grid.shape, strict=False)
    )
    if len(shape) != len(axes) or not all(fits):
        raise UsageError(
            f"labels of shape {tuple(shape)} with the axes {''.join(axes)} do not fit the image ({sizes_told(sizes)}):"
            " give their geometry if they are a part of it"
        )
    _check_words(grid, words)
    return replace(grid, shape=tuple(shape))


def _check_words(grid: Geometry, words: PlaceOptions) -> None:
    """Refuse words that tell another place than the image has: nothing would come of them."""
    further = cast("dict[str, Any]", {key: value for key, value in words.items() if key != "axes"})
    told = _by_axis(described_grid(grid.shape, axes=grid.axes, **further))
    known = _by_axis(grid)
    for key, value in further.items():
        # One unit is that of the space axes; names tell of theirs alone.
        named = SPACE if isinstance(value, str) else value if isinstance(value, Mapping) else grid.axes
        wrong = [axis for axis in grid.axes if axis in named and told[key][axis] != known[key][axis]]
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


def _parent(url: str | os.PathLike[str]) -> Parent | None:
    """What the image of a store says of itself; None where there is no store."""
    address, _ = split_address(url)
    with store_errors(address):
        return find_parent(open_store(address), address)
