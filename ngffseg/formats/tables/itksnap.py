"""Label descriptions of ITK-SNAP (ColorLabelTable.cxx): ``IDX R G B A VIS MSH "LABEL"``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ngffseg.errors import FormatError
from ngffseg.formats.tables.cells import Colors, label_value
from ngffseg.formats.tables.table import Row
from ngffseg.model import Segment

NEEDS_COLOR = True
HAS_LAYERS = False
RULE = "#" * 48
HEADER = (
    RULE,
    "# ITK-SnAP Label Description File",
    "# File format: ",
    "# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL",
    "# Fields: ",
    "#    IDX:   Zero-based index ",
    "#    -R-:   Red color component (0..255)",
    "#    -G-:   Green color component (0..255)",
    "#    -B-:   Blue color component (0..255)",
    "#    -A-:   Label transparency (0.00 .. 1.00)",
    "#    VIS:   Label visibility (0 or 1)",
    "#    IDX:   Label mesh visibility (0 or 1)",
    "#  LABEL:   Label description ",
    RULE,
)
# It calls the column transparency, but 1 is opaque.
LINE = re.compile(
    r'[ \t]*(\S+)[ \t]+(\S+)[ \t]+(\S+)[ \t]+(\S+)[ \t]+(\S+)[ \t]+([01])[ \t]+([01])[ \t]+"([^"]*)"[ \t]*'
)
# Properties of segments that are not shown; what is shown has none.
HIDDEN = ("visible", "visible_3d")


def matches(text: str, _file: str) -> bool:
    """Return True if the first line that is no comment is one of a label."""
    return next((LINE.fullmatch(line) is not None for _, line in _lines(text)), False)


def _lines(text: str) -> list[tuple[int, str]]:
    numbered = enumerate(text.split("\n"), 1)
    return [(number, line) for number, line in numbered if line.strip() and not line.startswith("#")]


def parse(text: str, _file: str) -> list[Row]:
    """Read a label description."""
    rows = []
    for number, line in _lines(text):
        found = LINE.fullmatch(line)
        try:
            if found is None:
                raise FormatError('IDX R G B A VIS MSH "LABEL" is wanted')
            # Of each line by itself: 255 parts of red, green and blue, 1 part of opacity.
            colors = Colors(whole=True)
            numbers = colors.add(found.group(2, 3, 4))
            opacity = Colors(whole=False).add((found[5],) * 3)[0]
            if opacity > 1:
                raise FormatError(f"opacity {found[5]} is above 1")
            red, green, blue, _ = colors.color(numbers)
            row: Row = {
                "label_value": label_value(found[1]),
                "color": (red, green, blue, round(opacity * 255)),
            }
        except FormatError as error:
            raise FormatError(f"line {number}: {error}") from None
        if found[8].strip():
            row["name"] = found[8]
        hidden = {key: False for key, shown in zip(HIDDEN, found.group(6, 7), strict=True) if shown == "0"}
        if hidden:
            row["properties"] = hidden
        rows.append(row)
    return rows


def render(segments: Sequence[Segment], _file: str) -> str:
    """Write a label description, column by column as ITK-SNAP does."""
    rows = [
        _line(Segment(0, name="Clear Label", color=(0, 0, 0, 0), properties=dict.fromkeys(HIDDEN, False)))
    ]
    return "\n".join([*HEADER, *rows, *map(_line, segments), ""])


def _line(segment: Segment) -> str:
    red, green, blue, alpha = segment.color or (0, 0, 0, 0)
    shown, mesh = (0 if segment.properties.get(key) is False else 1 for key in HIDDEN)
    # A quotation mark ends the name, and there is no escape.
    name = re.sub(r"[\r\n]", " ", segment.name).replace('"', "'")
    return (
        f"  {segment.label_value:3d}   {red:3d}  {green:3d}  {blue:3d}  {_opacity(alpha):>7s}"
        f'  {shown}  {mesh}    "{name}"'
    )


def _opacity(alpha: int) -> str:
    """The shortest number that both ITK-SNAP, which cuts off, and others, which round, take for the same part of 255."""
    texts = (f"{alpha / 255:.2g}", f"{alpha / 255:.3f}", f"{(alpha + 0.25) / 255:.5f}")
    return next(t for t in texts if int(255 * float(t)) == round(255 * float(t)) == alpha)
