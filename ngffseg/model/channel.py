"""`Channel`: how a channel of an image is shown."""

from __future__ import annotations

from dataclasses import dataclass


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
