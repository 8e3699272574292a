"""TSV: lookup tables of BIDS (``*_dseg.tsv``): index, name, abbreviation, color, mapping, and further columns."""

from __future__ import annotations

from collections.abc import Sequence

from ngffseg.formats.tables.delimited import find_columns, parse_delimited, property_cell, written
from ngffseg.formats.tables.table import Row
from ngffseg.formats.tables.words import free_properties
from ngffseg.model import Segment

NEEDS_COLOR = False
HAS_LAYERS = True
# Properties that BIDS has columns for.
OWN = ("abbreviation", "mapping")
# "String values that are missing MUST be coded as n/a" (BIDS).
MISSING = "n/a"


def matches(text: str, _file: str) -> bool:
    """Return True if the first line names columns, as in `ngffseg.formats.tables.csv_table`."""
    return find_columns(text) is not None


def parse(text: str, _file: str) -> list[Row]:
    """Read a table whose cells are parted by tabs, or as in `ngffseg.formats.tables.csv_table`."""
    return parse_delimited(text)


def render(segments: Sequence[Segment], _file: str) -> str:
    """Write a lookup table of BIDS; a column that says nothing is left out."""
    keys = free_properties({key for s in segments for key in s.properties}, "index")
    columns = {"index": [str(s.label_value) for s in segments], "name": [s.name for s in segments]}
    texts = {key: [_cell(s, key) for s in segments] for key in keys}
    columns |= {key: texts[key] for key in OWN[:1] if key in texts}
    columns["color"] = [f"#{bytes(s.color[:3]).hex()}" if s.color else "" for s in segments]
    columns |= {key: cells for key in (OWN[1], *keys) if key in texts and (cells := texts[key])}
    layered = any(s.layer for s in segments)
    columns["layer"] = [str(s.layer) if layered else "" for s in segments]
    kept = {key: cells for key, cells in columns.items() if key in ("index", "name") or any(cells)}
    rows = zip(*([cell or MISSING for cell in cells] for cells in kept.values()), strict=True)
    return written(list(kept), rows, "\t")


def _cell(segment: Segment, key: str) -> str:
    return property_cell(segment.properties[key]) if key in segment.properties else ""
