"""Colors for labels that have none, so that neighbours can be told apart."""

from __future__ import annotations

import colorsys

# Multiples of the golden ratio spread hues evenly, however many there are; kept as a fraction of
# 2^64, so that the product with any label value is exact.
GOLDEN = 11400714819323198485


def made_up_color(label_value: int) -> tuple[int, int, int, int]:
    """A distinct opaque color of a label value, always the same."""
    hue = (label_value * GOLDEN % 2**64) / 2**64
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.65 + 0.3 * (label_value % 2), 0.95)
    return round(red * 255), round(green * 255), round(blue * 255), 255
