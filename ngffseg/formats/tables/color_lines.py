"""Lines ``value name red green blue alpha`` parted by white space, which 3D Slicer and FreeSurfer write alike.

Only the last number differs: opacity in Slicer (255 is opaque), transparency in FreeSurfer (0 is opaque).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ngffseg.errors import FormatError
from ngffseg.formats.tables.cells import Colors, is_number, is_value, label_value
from ngffseg.formats.tables.table import Row, put_color
from ngffseg.model import Color

# C++ streams, by which both programs read, part words by these; other white space is part of a name.
SPACE = " \t\v\f"
PARTING = re.compile("[ \t\v\f]+")
SLICER, FREESURFER = "# Color table file", "Label Name:"


class Line(NamedTuple):
    """A line that is no comment: its number in the file, and its words."""

    number: int
    words: list[str]


def lines_of(text: str) -> Iterator[Line]:
    """Lines with words that are no comments."""
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip(SPACE)
        if stripped and not stripped.startswith("#"):
            yield Line(number, PARTING.split(stripped))


def is_color_line(words: list[str]) -> bool:
    """Return True if words are a value, a name, and 3 or 4 numbers."""
    return len(words) in (5, 6) and is_value(words[0]) and all(is_number(word) for word in words[2:])


def has_transparency(text: str, file: str) -> bool:
    """Return True if the last numbers of a table of such lines are transparency, as in FreeSurfer.

    The comments of both programs, or the suffix ``.ctbl``, tell it; but where all segments would be invisible,
    as in tables of SimNIBS, which have FreeSurfer's comments, it is the other of both.

    Raises
    ------
    FormatError
        If nothing tells it.
    """
    found = {words[5] for _, words in lines_of(text) if len(words) == 6 and words[0].strip("0+")}
    last = {float(word) for word in found if is_number(word)}
    if last == {0.0} or not last:
        return True
    if last == {255.0} or last == {1.0}:
        return False
    if SLICER in text or file.lower().endswith(".ctbl"):
        return False
    if FREESURFER in text:
        return True
    raise FormatError(
        f"{file}: the last number of its rows may be opacity or transparency: begin it with the line"
        f" {SLICER!r} (255 is opaque) or '#No. {FREESURFER} R G B A' (0 is opaque)"
    )


def parse_color_lines(text: str, file: str) -> list[Row]:
    """Rows of a table of such lines.

    Raises
    ------
    FormatError
        If a line is none.
    """
    transparent = has_transparency(text, file)
    colors = Colors(whole=True)
    given: list[tuple[Row, tuple[float, ...]]] = []
    for number, words in lines_of(text):
        try:
            if len(words) not in (5, 6):
                raise FormatError(
                    f"it has {len(words)} words: value, name, red, green, blue, alpha are wanted, no spaces in names"
                )
            row: Row = {"label_value": label_value(words[0]), "name": words[1]}
            given.append((row, colors.add(words[2:])))
        except FormatError as error:
            raise FormatError(f"line {number}: {error}") from None
    for row, numbers in given:
        opacity = len(numbers) == 4
        color = _seen(colors.color(numbers), inverted=transparent and opacity)
        put_color(row, color, with_opacity=opacity)
    return [row for row, _ in given]


def _seen(color: Color, *, inverted: bool) -> Color:
    red, green, blue, alpha = color
    return red, green, blue, 255 - alpha if inverted else alpha


def one_word(name: str) -> str:
    """A name as one word: white space becomes an underscore; none is an underscore, as Slicer writes it."""
    return re.sub(r"[ \t\v\f\r\n]", "_", name) or "_"
