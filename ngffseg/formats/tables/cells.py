"""Cells of label tables: exact label values, and colors in the ways in which people write them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ngffseg.errors import FormatError
from ngffseg.model import LARGEST_LABEL, Color

DIGITS = re.compile(r"\+?[0-9]{1,25}")
NUMBER = re.compile(r"(?:[0-9]{1,9}\.?[0-9]{0,30}|\.[0-9]{1,30})(?:[eE][-+]?[0-9]{1,2})?")
COMMA = re.compile(r"-?[0-9]+,[0-9]+")
HEX = re.compile(r"#?([0-9a-fA-F]{6})([0-9a-fA-F]{2})?")


def is_value(text: str) -> bool:
    """Return True if a cell is a whole number."""
    return DIGITS.fullmatch(text) is not None


def is_number(text: str) -> bool:
    """Return True if a cell is a number from 0 on, with a point or without."""
    return NUMBER.fullmatch(text) is not None


def label_value(text: str) -> int:
    """The label value in a cell, exactly.

    Raises
    ------
    FormatError
        If it is none: label values are whole numbers from 0 to 2^64-1, and 5.0 is no exact one.
    """
    if not is_value(text):
        what = "negative" if is_value(text.removeprefix("-")) else "no whole number"
        raise FormatError(f"label value {text[:40]!r} is {what}: give whole numbers from 0, without a point")
    value = int(text)
    if value > LARGEST_LABEL:
        raise FormatError(f"label value {value} is above 2^64-1: relabel it")
    return value


def hex_color(text: str) -> tuple[Color, bool] | None:
    """The color of ``#rrggbb`` or ``#rrggbbaa``, and if its opacity is said; None if the cell is none."""
    found = HEX.fullmatch(text)
    if found is None:
        return None
    red, green, blue, alpha = bytes.fromhex(found[1] + (found[2] or "ff"))
    return (red, green, blue, alpha), found[2] is not None


class Colors:
    """Colors of a table whose parts are numbers, 0 to 255 or 0 to 1: all rows together tell which of both.

    Parameters
    ----------
    whole
        True if the format says 0 to 255, so that 1 is nearly black; parts with a point up to 1 are
        taken for 0 to 1 all the same.
    """

    def __init__(self, *, whole: bool) -> None:
        self._whole = whole
        self._dotted = False
        self._largest = [0.0, 0.0]  # of red, green and blue; of alpha

    def add(self, parts: Sequence[str]) -> tuple[float, ...]:
        """Take note of the three or four parts of a color, and return them as numbers.

        Raises
        ------
        FormatError
            If one is no number of a color.
        """
        for part in parts:
            if COMMA.fullmatch(part):
                raise FormatError(f"{part!r} has a decimal comma: write {part.replace(',', '.')}")
            if not is_number(part) or float(part) > 255:
                raise FormatError(f"{part[:40]!r} is no part of a color: give numbers from 0 to 255")
        if len(parts) not in (3, 4):
            raise FormatError(f"a color of {len(parts)} parts: give red, green, blue, and alpha if wanted")
        numbers = tuple(float(part) for part in parts)
        self._dotted |= any(not is_value(part) for part in parts[:3])
        self._largest = [max(self._largest[0], *numbers[:3]), max(self._largest[1], *numbers[3:], 0.0)]
        return numbers

    def color(self, numbers: Sequence[float]) -> Color:
        """The color of some numbers, once all rows are known.

        Raises
        ------
        FormatError
            If colors are made of 0 and 1 alone, so that nobody can say what 1 means.
        """
        largest, opacity = self._largest
        if largest == 1 and not self._dotted and not self._whole and opacity <= 1:
            raise FormatError(
                "colors of 0 and 1 alone may be black or bright: write 0 and 255, or 0.0 and 1.0"
            )
        scale = 255 if self._dotted and largest <= 1 else 1
        red, green, blue = (round(number * scale) for number in numbers[:3])
        alpha = numbers[3] * (1 if opacity > 1 else 255) if len(numbers) == 4 else 255
        return red, green, blue, round(alpha)
