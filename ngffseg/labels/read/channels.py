"""How channels are shown: a name, a color and a window of each, as far as the store tells them."""

from __future__ import annotations

from dataclasses import replace

from ngffseg.geometry import Geometry
from ngffseg.labels.read.contents import IntensityImage
from ngffseg.labels.read.window import display_window
from ngffseg.model import Channel

# Of channels without one of their own, in turn.
COLORS = ((255, 0, 255), (0, 255, 0), (0, 255, 255), (255, 255, 0), (0, 0, 255), (255, 0, 0))


def channel_count(geometry: Geometry) -> int:
    """Number of channels; 0 where there is no axis of them."""
    return geometry.shape[geometry.axes.index("c")] if "c" in geometry.axes else 0


def shown_channels(image: IntensityImage) -> tuple[Channel, ...]:
    """The channels of an image, all with names, and with colors where there are several; one of an image without them.

    Their windows are looked up by `channel_window`.
    """
    count, name = channel_count(image.geometry), image.name.strip("/") or "image"
    if count == 0:
        return (replace(_described(image, 0), name=name),)
    if count == 1:
        return (replace(_described(image, 0), name=_described(image, 0).name or name),)
    return tuple(
        replace(
            described := _described(image, number),
            name=described.name or f"{name}: channel {number}",
            color=described.color or COLORS[number % len(COLORS)],
        )
        for number in range(count)
    )


def channel_window(image: IntensityImage, number: int) -> tuple[float, float]:
    """Values of a channel that are shown in black and in its full color; see `display_window`."""
    several = channel_count(image.geometry) > 1
    return _described(image, number).window or display_window(image, number if several else None)


def label_channels(labels: Geometry, beside: IntensityImage | None) -> tuple[str, ...]:
    """Names of the channels of labels: those of the image beside them, if it has as many; one empty name for all.

    Parameters
    ----------
    labels
        Grid of the labels.
    beside
        The image of their store.
    """
    count = channel_count(labels)
    if count < 2:
        return ("",)
    same = beside is not None and channel_count(beside.geometry) == count
    described = [
        _described(beside, number).name if beside is not None and same else "" for number in range(count)
    ]
    return tuple(name or f"channel {number}" for number, name in enumerate(described))


def _described(image: IntensityImage, number: int) -> Channel:
    return image.channels[number] if number < len(image.channels) else Channel()
