"""What a store holds as layers of napari: the image, then each label image."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from ngffseg.geometry import Geometry, array_affine, straight_affine
from ngffseg.labels import (
    Contents,
    IntensityImage,
    LabelImage,
    display_window,
    open_contents,
    shown_name,
    split_address,
)
from ngffseg.napari_plugin.table import colors_of, features_of
from ngffseg.napari_plugin.view import LevelView
from ngffseg.ngff import Channel

# Data, keywords and kind of a layer.
LayerData = tuple[Any, dict[str, Any], str]
# Key of the metadata of a layer under which it is told from which label image it comes.
KEY = "ngffseg"
# Of channels without one of their own, as napari gives them.
COLORS = ("magenta", "green", "cyan", "yellow", "blue", "red")
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
    with_channels = _many_channels(contents)
    found: list[LayerData] = []
    if contents.image is not None and named is None:
        found += image_layers(contents.image, split=not with_channels)
    for layers in contents.segmentations:
        found += [label_layer(image, shown_name(layers, number)) for number, image in enumerate(layers)]
    return found


def _many_channels(contents: Contents) -> bool:
    """Whether any labels have channels of their own, so that the axis must stay for all layers."""
    images = (image for layers in contents.segmentations for image in layers)
    return any(_channels(image.geometry) > 1 for image in images)


def _channels(geometry: Geometry) -> int:
    return geometry.shape[geometry.axes.index("c")] if "c" in geometry.axes else 0


def image_layers(image: IntensityImage, *, split: bool) -> list[LayerData]:
    """An intensity image: with ``split``, a layer of each channel, over one another in their colors."""
    count = _channels(image.geometry) if split else 0
    if count == 0:
        keywords = placement(image.geometry) | {"name": image.name or "image", "colormap": "gray"}
        keywords["contrast_limits"] = display_window(image)
        return [_image_layer(image, keywords, {})]
    axis = image.geometry.axes.index("c")
    channels = image.channels if len(image.channels) == count else (Channel(),) * count
    return [
        _image_layer(
            image,
            placement(image.geometry, without="c") | channel_keywords(image, channel, number, count),
            {axis: number},
        )
        for number, channel in enumerate(channels)
    ]


def _image_layer(image: IntensityImage, keywords: dict[str, Any], fixed: Mapping[int, int]) -> LayerData:
    levels = [
        LevelView(partial(image.read, level=number), array.shape, array.dtype, fixed)
        for number, array in enumerate(image.arrays)
    ]
    own = {"multiscale": len(levels) > 1, "metadata": {KEY: {"store": image.url, "geometry": image.geometry}}}
    return levels if len(levels) > 1 else levels[0], keywords | own, "image"


def channel_keywords(image: IntensityImage, channel: Channel, number: int, count: int) -> dict[str, Any]:
    """Name, color and window of a channel, as far as the store tells them."""
    name = image.name or "image"
    colors = ("gray",) if count == 1 else COLORS
    keywords: dict[str, Any] = {
        "name": channel.name or (name if count == 1 else f"{name}: channel {number}"),
        "colormap": "#{:02x}{:02x}{:02x}".format(*channel.color)
        if channel.color is not None
        else colors[number % len(colors)],
        "blending": "translucent" if number == 0 else "additive",
    }
    window = channel.window or (display_window(image) if count == 1 else None)
    return keywords | ({"contrast_limits": window} if window is not None else {})


def label_layer(image: LabelImage, name: str) -> LayerData:
    """A label image: all its levels, lazily.

    Of one level, too, it is a layer of several: those cannot be painted on by chance, where nothing is saved.
    """
    features = features_of(image)
    fixed = fixed_axes(image.geometry)
    data = [
        LevelView(partial(image.read, level=number), array.shape, array.dtype, fixed)
        for number, array in enumerate(image.arrays)
    ]
    keywords = placement(image.geometry, without="c" if fixed else "") | {
        "name": name,
        "visible": True,
        "multiscale": True,
        "features": features,
        "metadata": {KEY: origin(image)},
    }
    colors = colors_of(image, features["index"])
    if colors is not None:
        keywords["colormap"] = colors
    return _several(data), keywords, "labels"


def _several(levels: list[LevelView]) -> Any:
    """Levels as napari takes them: of a list of one it takes the planes for levels."""
    if len(levels) > 1:
        return levels
    from napari.layers._multiscale_data import MultiScaleData

    return MultiScaleData(levels)


def origin(image: LabelImage) -> dict[str, Any]:
    """What a layer knows of the label image that it shows."""
    return {"store": image.url, "name": image.name, "image": image, "geometry": image.geometry}


def fixed_axes(geometry: Geometry) -> Mapping[int, int]:
    """The axis of a single channel, which layers do not have: images lose theirs, too."""
    return {geometry.axes.index("c"): 0} if _channels(geometry) == 1 else {}


def placement(geometry: Geometry, *, without: str = "") -> dict[str, Any]:
    """Where a layer lies: its affine, axes and units, without an axis that the layer does not have."""
    kept = [n for n, axis in enumerate(geometry.axes) if axis != without]
    keywords: dict[str, Any] = {
        "affine": layer_affine(geometry, straight=False, without=without),
        "axis_labels": tuple(geometry.axes[n] for n in kept),
    }
    units = [geometry.units[n] for n in kept]
    if any(unit in UNITS for unit in units):
        keywords["units"] = tuple(unit if unit in UNITS else "pixel" for unit in units)
    return keywords


def layer_affine(geometry: Geometry, *, straight: bool, without: str = "") -> npt.NDArray[np.float64]:
    """The affine of a layer: to the patient, or straight along the axes of the image."""
    matrix = straight_affine(geometry) if straight else array_affine(geometry)
    kept = [n for n, axis in enumerate((*geometry.axes, "")) if axis != without or not axis]
    return matrix[np.ix_(kept, kept)]
