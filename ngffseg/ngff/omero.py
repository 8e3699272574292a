"""The ``omero`` object of an image: how its channels are to be shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ngffseg.model import Channel


def decode_channels(metadata: Mapping[str, Any]) -> tuple[Channel, ...]:
    """The channels of an image, in order; empty where it tells none.

    It is a hint for viewers (NGFF: "transitional"), so what is broken is left out and hides no image.
    """
    omero = metadata.get("omero")
    channels = omero.get("channels") if isinstance(omero, dict) else None
    if not isinstance(channels, list):
        return ()
    return tuple(_channel(c) if isinstance(c, dict) else Channel() for c in channels)


def _channel(encoded: Mapping[str, Any]) -> Channel:
    name, window = encoded.get("label"), encoded.get("window")
    ends = (window.get("start"), window.get("end")) if isinstance(window, dict) else ()
    numbers = [float(n) for n in ends if isinstance(n, int | float)]
    return Channel(
        name if isinstance(name, str) else "",
        _color(encoded.get("color")),
        (numbers[0], numbers[1]) if len(numbers) == 2 and numbers[0] < numbers[1] else None,
        active=encoded.get("active") is not False,
        inverted=encoded.get("inverted") is True,
    )


def _color(text: Any) -> tuple[int, int, int] | None:
    """Six hexadecimal digits, with or without a # before them."""
    digits = text.lstrip("#") if isinstance(text, str) else ""
    try:
        value = int(digits, 16) if len(digits) == 6 else -1
    except ValueError:
        value = -1
    return None if value < 0 else (value >> 16, value >> 8 & 255, value & 255)


def encode_channels(channels: Sequence[Channel]) -> dict[str, Any]:
    """The ``omero`` object of channels, all of which have a color and a window, as NGFF demands."""
    return {"channels": [_encoded(channel) for channel in channels]}


def _encoded(channel: Channel) -> dict[str, Any]:
    assert channel.color is not None
    assert channel.window is not None
    low, high = channel.window
    encoded = {
        "label": channel.name,
        "color": "{:02X}{:02X}{:02X}".format(*channel.color),
        "window": {"min": low, "max": high, "start": low, "end": high},
        "active": channel.active,
    }
    return encoded | ({"inverted": True} if channel.inverted else {})
