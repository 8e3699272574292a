"""What a store holds as layers of napari: the image, then each label image."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from ngffseg.errors import MissingExtraError
from ngffseg.geometry import Geometry, array_affine, straight_affine
from ngffseg.labels import (
    Contents,
    IntensityImage,
    LabelImage,
    channel_window,
    label_channels,
    open_contents,
    shown_channels,
    shown_name,
    split_address,
)
from ngffseg.model import Channel
from ngffseg.napari_plugin.axes import LayerAxes, layer_axes, layer_grid
from ngffseg.napari_plugin.table import colors_of, features_of
from ngffseg.napari_plugin.view import LevelView

# Data, keywords and kind of a layer.
LayerData = tuple[Any, dict[str, Any], str]
# Key of the metadata of a layer under which it is told from which label image it comes.
KEY = "ngffseg"
# Words of NGFF that napari knows, too.
UNITS = {
    *("angstrom", "nanometer", "micrometer", "millimeter", "centimeter", "meter"),
    *("millisecond", "second", "minute", "hour", "day"),
}


def read_layers(path: str | os.PathLike[str]) -> list[LayerData]:
    """The layers of a store, or of the label image that the address names.

    Raises
    ------
    NgffsegError
        If there is none, or it cannot be read: one line that says what to do.
    """
    contents = open_contents(path)
    _, named = split_address(path)
    grids = grids_of(contents)
    found: list[LayerData] = []
    if contents.image is not None and named is None:
        found += image_layers(contents.image, grids)
    for layers in contents.segmentations:
        for number, image in enumerate(layers):
            found += label_layers(image, shown_name(layers, number), grids, contents.image)
    return found


def grids_of(contents: Contents) -> list[Geometry]:
    """The grids of all that a store holds."""
    labels = [image.geometry for layers in contents.segmentations for image in layers]
    return [*([contents.image.geometry] if contents.image is not None else []), *labels]


def image_layers(image: IntensityImage, grids: Sequence[Geometry]) -> list[LayerData]:
    """An intensity image: a layer of each channel, over one another in their colors."""
    found: list[LayerData] = []
    for number, channel in enumerate(shown_channels(image)):
        axes = layer_axes(image.geometry, grids, number)
        grid = layer_grid(image.geometry, axes, grids)
        levels = _levels(image, axes)
        keywords = placement(grid) | {
            "name": channel.name,
            "colormap": _colormap(channel),
            "contrast_limits": channel_window(image, number),
            "visible": channel.active,
            "blending": "translucent" if number == 0 else "additive",
            "multiscale": len(levels) > 1,
            "metadata": {KEY: _origin(image, grid, axes)},
        }
        found.append((levels if len(levels) > 1 else levels[0], keywords, "image"))
    return found


def _colormap(channel: Channel) -> Any:
    """What napari makes a colormap of, from black to the color; of an inverted channel the other way."""
    if channel.color is None:
        return "gray_r" if channel.inverted else "gray"
    if channel.inverted:
        return np.array([channel.color, (0, 0, 0)]) / 255
    return "#{:02x}{:02x}{:02x}".format(*channel.color)


def label_layers(
    image: LabelImage, name: str, grids: Sequence[Geometry], beside: IntensityImage | None
) -> list[LayerData]:
    """A label image: all its levels, lazily; a layer of each channel, if it has channels of its own.

    Of one level, too, it is a layer of several: those cannot be painted on by chance, where nothing is saved.

    Parameters
    ----------
    image
        The label image.
    name
        What people call it.
    grids
        Grids of all that its store holds.
    beside
        The image of the store, which may know names of channels.
    """
    features = features_of(image)
    colors = colors_of(image, features["index"])
    found: list[LayerData] = []
    for number, channel in enumerate(label_channels(image.geometry, beside)):
        axes = layer_axes(image.geometry, grids, number)
        grid = layer_grid(image.geometry, axes, grids)
        keywords = placement(grid) | {
            "name": f"{name}: {channel}" if channel else name,
            "visible": True,
            "multiscale": True,
            "features": features,
            "metadata": {KEY: origin(image, grid, axes)},
        }
        if colors is not None:
            keywords["colormap"] = colors
        found.append((levels_of(image, axes), keywords, "labels"))
    return found


def _levels(image: IntensityImage | LabelImage, axes: LayerAxes) -> list[LevelView]:
    return [
        LevelView(partial(image.read, level=number), array.shape, array.dtype, axes)
        for number, array in enumerate(image._arrays)
    ]


def levels_of(image: LabelImage, axes: LayerAxes) -> Any:
    """Levels of labels as napari takes them: of a list of one it takes the planes for levels.

    Raises
    ------
    MissingExtraError
        If napari is not installed.
    """
    levels = _levels(image, axes)
    if len(levels) > 1:
        return levels
    try:
        from napari.layers._multiscale_data import MultiScaleData
    except ImportError as error:
        raise MissingExtraError("layers need napari: pip install 'ngffseg[napari]' 'napari[all]'") from error

    return MultiScaleData(levels)


def origin(image: LabelImage, grid: Geometry, axes: LayerAxes) -> dict[str, Any]:
    """What a layer knows of the label image that it shows."""
    return _origin(image, grid, axes) | {"name": image.name, "image": image}


def _origin(image: IntensityImage | LabelImage, grid: Geometry, axes: LayerAxes) -> dict[str, Any]:
    return {"store": image.url, "geometry": grid, "axes": axes}


def placement(grid: Geometry) -> dict[str, Any]:
    """Where a layer of a grid lies: its affine, axes and units."""
    keywords: dict[str, Any] = {
        "affine": layer_affine(grid, straight=False),
        "axis_labels": grid.axes,
    }
    if any(unit in UNITS for unit in grid.units):
        keywords["units"] = tuple(unit if unit in UNITS else "pixel" for unit in grid.units)
    return keywords


def layer_affine(grid: Geometry, *, straight: bool) -> npt.NDArray[np.float64]:
    """The affine of a layer of a grid: to the patient, or straight along the axes of the image."""
    return straight_affine(grid) if straight else array_affine(grid)
