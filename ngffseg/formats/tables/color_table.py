"""``.ctbl``: color tables of 3D Slicer (vtkMRMLColorTableStorageNode), which it also writes as ``.txt``."""

from __future__ import annotations

from collections.abc import Sequence

from ngffseg.errors import FormatError
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
# Tables of colors along a scale, which name no labels.
CONTINUOUS = "# Color procedural file"


def matches(text: str, file: str) -> bool:
    """Return True if it begins with Slicer's comment, or its rows are such and nothing speaks for FreeSurfer."""
    if text.startswith((SLICER, CONTINUOUS)):
        return True
    first = next(lines_of(text), None)
    return first is not None and is_color_line(first.words) and not has_transparency(text, file)


def parse(text: str, file: str) -> list[Row]:
    """Read a color table; underscores of names are spaces, as Slicer reads them."""
    if text.startswith(CONTINUOUS):
        raise FormatError("it is a scale of colors and names no labels: give a table of labels")
    rows = parse_color_lines(text, file)
    for row in rows:
        name = row["name"].replace("_", " ").strip("'")
        row["name"] = name
        if not name.strip():
            del row["name"]
    return rows


def render(segments: Sequence[Segment], file: str) -> str:
    """Write a color table."""
    largest = max((s.label_value for s in segments), default=0)
    rows = [f"{s.label_value} {one_word(s.name)} {' '.join(map(str, s.color or ()))}" for s in segments]
    return "\n".join([f"{SLICER} {file}", f"# {largest + 1} values", "0 Background 0 0 0 0", *rows, ""])
