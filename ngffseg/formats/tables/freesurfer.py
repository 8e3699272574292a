"""FreeSurfer's color lookup tables (``FreeSurferColorLUT.txt``, CTABwriteFileASCII): alpha is transparency."""

from __future__ import annotations

from collections.abc import Sequence

from ngffseg.formats.tables.color_lines import (
    SLICER,
    has_transparency,
    is_color_line,
    lines_of,
    one_word,
    parse_color_lines,
)
from ngffseg.formats.tables.table import Row
from ngffseg.model import Segment

NEEDS_COLOR = True
HAS_LAYERS = False
HEADER = "#No. Label Name:                            R   G   B   A"


def matches(text: str, file: str) -> bool:
    """Return True if its rows are a value, a name, a color and transparency."""
    first = next(lines_of(text), None)
    is_row = first is not None and is_color_line(first.words)
    return is_row and not text.startswith(SLICER) and has_transparency(text, file)


def parse(text: str, file: str) -> list[Row]:
    """Read a lookup table."""
    return parse_color_lines(text, file)


def render(segments: Sequence[Segment], _file: str) -> str:
    """Write a lookup table, in the columns of FreeSurfer."""
    rows = [_line(0, "Unknown", (0, 0, 0, 255))]
    rows += [_line(s.label_value, one_word(s.name), s.color or (0, 0, 0, 255)) for s in segments]
    return "\n".join([HEADER, "", *rows, ""])


def _line(value: int, name: str, color: Sequence[int]) -> str:
    red, green, blue, alpha = color
    return f"{value:3d}  {name:<30s}  {red:3d} {green:3d} {blue:3d}  {255 - alpha:3d}"
