"""Colors for labels that have none, so that neighbours can be told apart."""

from __future__ import annotations

import colorsys

# Multiples of the golden ratio spread hues evenly, however many there are; those of two other
# irrationals spread saturation and brightness. All are kept as fractions of 2^64, so that the
# product with any label value is exact.
HUE = 11400714819323198485  # golden ratio
SATURATION = 7640891576956012809  # square root of 2
BRIGHTNESS = 13503953896175478587  # square root of 3


def made_up_color(label_value: int) -> tuple[int, int, int, int]:
    """A color of a label value, always the same: opaque, but for the background, which is not seen."""
    if label_value == 0:
        return 0, 0, 0, 0
    hue, saturation, brightness = (label_value * c % 2**64 / 2**64 for c in (HUE, SATURATION, BRIGHTNESS))
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.55 + 0.4 * saturation, 0.7 + 0.3 * brightness)
    return round(red * 255), round(green * 255), round(blue * 255), 255
