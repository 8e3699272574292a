"""Layers of neuroglancer: an image by its channels, and label images."""

from __future__ import annotations

from typing import Any

from ngffseg.labels import (
    IntensityImage,
    LabelImage,
    channel_count,
    channel_window,
    label_channels,
    shown_channels,
)
from ngffseg.viewer.properties import segment_colors
from ngffseg.viewer.transform import CHANNELS, source_transform

# Pixels per voxel at first: a picture that is a quarter as much to fetch and draw, then refined.
COARSE = 2
# Channels in their colors, over one another.
SHADER = """#uicontrol invlerp normalized
#uicontrol vec3 color color
void main() { emitRGB(color * normalized()); }
"""


def image_layers(image: IntensityImage, address: str) -> list[dict[str, Any]]:
    """An intensity image: a layer of each channel, in its color over those before."""
    found = []
    for number, channel in enumerate(shown_channels(image)):
        low, high = channel_window(image, number)
        controls: dict[str, Any] = {"normalized": {"range": [high, low] if channel.inverted else [low, high]}}
        layer = {
            "type": "image",
            "name": channel.name,
            "source": _source(address, image),
            "crossSectionRenderScale": COARSE,
            "visible": channel.active,
        } | _channel(image, number)
        if channel.color is not None:
            controls["color"] = "#{:02x}{:02x}{:02x}".format(*channel.color)
            layer |= {"shader": SHADER, "blend": "additive", "opacity": 1}
        found.append(layer | {"shaderControls": controls})
    return found


def labels_layers(
    image: LabelImage, name: str, beside: IntensityImage | None, *, address: str, properties: str
) -> list[dict[str, Any]]:
    """A label image: a layer of each channel, if it has channels of its own.

    Parameters
    ----------
    image
        The label image.
    name
        What people call it.
    beside
        The image of the store, which may know names of channels.
    address, properties
        Where its objects and the list of its segments are served.
    """
    colors = segment_colors(image)
    return [
        {
            "type": "segmentation",
            "name": f"{name}: {channel}" if channel else name,
            "source": [_source(address, image), f"{properties}/|neuroglancer-precomputed:"],
            "crossSectionRenderScale": COARSE,
            "segmentColors": colors,
            "tab": "segments",
        }
        | _channel(image, number)
        for number, channel in enumerate(label_channels(image.geometry, beside))
    ]


def _source(address: str, image: IntensityImage | LabelImage) -> dict[str, Any]:
    transform = source_transform(image.geometry, image._arrays.translation)
    return {"url": address} | ({"transform": transform} if transform is not None else {})


def _channel(image: IntensityImage | LabelImage, number: int) -> dict[str, Any]:
    """The place of a layer along channels, which it has for itself."""
    if not channel_count(image.geometry):
        return {}
    return {"localDimensions": {CHANNELS: [1, ""]}, "localPosition": [number]}
