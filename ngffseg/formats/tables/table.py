"""`LabelTable`: what a table says of label values; `TableFormat`: what a module offers that reads and writes one kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Required, TypedDict, cast

from ngffseg.errors import FormatError, UsageError
from ngffseg.model import Algorithm, Codes, Color, Segment

# Members that a message names of many.
EXAMPLES = 3


class SegmentFields(TypedDict, total=False):
    """Parameters of `Segment`, without those that nobody has said."""

    label_value: Required[int]
    id: str
    name: str
    color: Color
    layer: int
    codes: Codes
    status: str
    algorithm: Algorithm
    tags: tuple[tuple[str, str], ...]
    properties: Mapping[str, Any]


class Row(SegmentFields, total=False):
    """What a table says of one label value; ``rgb`` is a color of whose opacity it says nothing."""

    rgb: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class LabelTable:
    """What a file says of label values.

    Parameters
    ----------
    file
        Name of the file.
    rows
        In the order of the file, without the background (value 0). Values and names are unique in each layer.
    """

    file: str
    rows: tuple[Row, ...]


class TableFormat(Protocol):
    """One kind of table; a module with these members satisfies it."""

    # True if each row must have a color.
    NEEDS_COLOR: bool
    # True if a row can say which layer holds the value.
    HAS_LAYERS: bool

    def matches(self, text: str, file: str) -> bool:
        """Return True if a text of a file of this name is of this kind."""

    def parse(self, text: str, file: str) -> list[Row]:
        """Read all rows, the background too; errors (`ngffseg.errors.FormatError`) name the line."""

    def render(self, segments: Sequence[Segment], file: str) -> str:
        """Write segments, which have colors where the format needs them; what has no place is left out."""


def segment_of(row: Row, where: str) -> Segment:
    """The segment that a row describes, opaque if nothing else is said.

    Raises
    ------
    FormatError
        If it is none, as with NaN among its properties.
    """
    try:
        return Segment(**segment_fields(row, 255))
    except (UsageError, TypeError, RecursionError) as error:
        raise FormatError(f"{where}: {error}") from error


def segment_fields(row: Row, opacity: int) -> SegmentFields:
    """What a row says, with an opacity where it has a color and does not say any."""
    fields: dict[str, Any] = {key: value for key, value in row.items() if key != "rgb"}
    if "rgb" in row:
        fields["color"] = (*row["rgb"], opacity)
    return cast("SegmentFields", fields)


def put_color(row: Row, color: Color, *, with_opacity: bool) -> None:
    """Have a row say a color, with its opacity or without."""
    if with_opacity:
        row["color"] = color
    else:
        row["rgb"] = color[:3]


def checked_table(rows: Iterable[Row], file: str) -> LabelTable:
    """The table of rows, without the background.

    Raises
    ------
    FormatError
        If there are none, or a value or a name stands twice in a layer.
    """
    kept = tuple(row for row in rows if row["label_value"] != 0)
    if not kept:
        raise FormatError(f"{file} names no label value but the background: give a table of segments")
    values = Counter((row.get("layer", 0), row["label_value"]) for row in kept)
    names = Counter((row.get("layer", 0), row["name"]) for row in kept if "name" in row)
    for what, counted in (("value", values), ("name", names)):
        twice = [repr(key) for (_, key), count in counted.items() if count > 1]
        if twice:
            raise FormatError(f"{file}: {what} {listed(twice)} stands there twice: keep one row for each")
    return LabelTable(file, kept)


def listed(members: Sequence[Any]) -> str:
    """The first of some members, and how many there are, for people."""
    first = ", ".join(str(member) for member in members[:EXAMPLES])
    return first if len(members) <= EXAMPLES else f"{first} and {len(members) - EXAMPLES} more"
