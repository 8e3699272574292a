"""The ``omero`` object of an image: how its channels are to be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Channel:
    """How a channel is to be shown; what is not told, or cannot be understood, is None.

    Parameters
    ----------
    name
        Its name; empty if it has none.
    color
        Red, green and blue from 0 to 255.
    window
        Values shown in black and in the full color.
    active
        Whether it is shown at first.
    inverted
        Whether the smallest values are shown in the full color, and the largest in black.
    """

    name: str = ""
    color: tuple[int, int, int] | None = None
    window: tuple[float, float] | None = None
    active: bool = True
    inverted: bool = False


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
