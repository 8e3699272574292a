"""How channels of images are shown: names, colors and contrast, as far as the store tells them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ngffseg.labels import IntensityImage, display_window
from ngffseg.napari_plugin.axes import channels
from ngffseg.ngff import Channel

# Of channels without one of their own, as napari gives them.
COLORS = ("magenta", "green", "cyan", "yellow", "blue", "red")


def channel_keywords(image: IntensityImage, number: int) -> dict[str, Any]:
    """Keywords of the layer of a channel, or of an image without channels."""
    channel, count = _channel(image, number), channels(image.geometry)
    name = image.name.strip("/") or "image"  # ome-zarr-py calls an image by its path
    if count > 1:
        name = channel.name or f"{name}: {channel_name(image, number, count)}"
    elif count == 1:
        name = channel.name or name
    return {
        "name": name,
        "colormap": _colormap(channel, "gray" if count < 2 else COLORS[number % len(COLORS)]),
        "blending": "translucent" if number == 0 else "additive",
        "contrast_limits": channel.window or display_window(image, number if count > 1 else None),
        "visible": channel.active,
    }


def channel_name(image: IntensityImage | None, number: int, count: int) -> str:
    """What people call a channel of an image, or of labels that have as many."""
    same = image is not None and channels(image.geometry) == count
    told = _channel(image, number).name if image is not None and same else ""
    return told or f"channel {number}"


def _channel(image: IntensityImage, number: int) -> Channel:
    return image.channels[number] if number < len(image.channels) else Channel()


def _colormap(channel: Channel, default: str) -> Any:
    """A name that napari knows, or makes a colormap of; of an inverted channel one from its color to black."""
    if channel.color is None:
        return f"{default}_r" if channel.inverted and default == "gray" else default
    if channel.inverted:
        return np.array([channel.color, (0, 0, 0)]) / 255
    return "#{:02x}{:02x}{:02x}".format(*channel.color)
