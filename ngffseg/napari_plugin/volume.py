"""Layers of images of napari as one image that is stored: several are its channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import dask.array as da
import numpy as np

from ngffseg.errors import UsageError
from ngffseg.model import Channel, Volume
from ngffseg.napari_plugin.layers import LayerData
from ngffseg.napari_plugin.painting import Painting
from ngffseg.napari_plugin.place import layer_geometry
from ngffseg.napari_plugin.view import LevelView

T = TypeVar("T")


def volume_of(layers: Sequence[LayerData]) -> Volume:
    """Layers of images as one image; the channels have their names, colors and contrast.

    Raises
    ------
    UsageError
        If they lie on different voxels.
    """
    pixels = [level0(data, attributes) for data, attributes, _ in layers]
    grids = [
        layer_geometry((), array, attributes)
        for array, (_, attributes, _) in zip(pixels, layers, strict=True)
    ]
    channels = [_channel(attributes) for _, attributes, _ in layers]
    if len(layers) == 1:
        return Volume(pixels[0], grids[0], channels[0].name)
    for channel, grid in zip(channels, grids, strict=True):
        if grid != grids[0] or "c" in grid.axes:
            raise UsageError(
                f"{channels[0].name} and {channel.name} lie on different voxels, so they are no channels of one"
                " image: choose one of them"
            )
    place = int("t" in grids[0].axes)
    data = da.stack([da.asarray(array) for array in pixels], axis=place)  # type: ignore[no-untyped-call]
    grid = replace(
        grids[0],
        shape=_with(grids[0].shape, place, len(layers)),
        axes=_with(grids[0].axes, place, "c"),
        units=_with(grids[0].units, place, None),
    )
    described = all(channel.color is not None and channel.window is not None for channel in channels)
    return Volume(data, grid, "image", channels=tuple(channels) if described else ())


def _with(values: tuple[T, ...], place: int, own: T) -> tuple[T, ...]:
    """What is told per axis, with what is told of channels."""
    return (*values[:place], own, *values[place:])


def level0(data: Any, attributes: Mapping[str, Any]) -> Any:
    """The finest level of a layer; what comes from a store stays lazy."""
    array = data[0] if attributes.get("multiscale") else data
    if isinstance(array, LevelView | Painting):
        return da.from_array(array, chunks=getattr(array, "chunks", "auto"))  # type: ignore[no-untyped-call]
    return array


def _channel(attributes: Mapping[str, Any]) -> Channel:
    """How a layer shows its image; a colormap of many colors is known by its brightest end."""
    colormap, window = attributes.get("colormap"), attributes.get("contrast_limits")
    table = colormap.get("colors") if isinstance(colormap, Mapping) else getattr(colormap, "colors", None)
    color, inverted = None, False
    if table is not None:
        ends = np.asarray(table, np.float64)[[0, -1], :3]
        inverted = bool(ends[0].sum() > ends[1].sum())
        red, green, blue = (round(part * 255) for part in ends[0 if inverted else 1].tolist())
        color = red, green, blue
    return Channel(
        str(attributes.get("name", "image")),
        color,
        (float(window[0]), float(window[1])) if window is not None else None,
        bool(attributes.get("visible", True)),
        inverted,
    )
