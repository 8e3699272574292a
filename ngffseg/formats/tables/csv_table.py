"""CSV: color tables as 3D Slicer writes them (vtkMRMLColorTableStorageNode, 5.8), and any other with a header.

Columns that Slicer does not know (ids, status, layers, properties) stand behind its own, which it finds by name.
"""

from __future__ import annotations

from collections.abc import Sequence

from ngffseg.formats.tables.delimited import (
    CODE_HEADER,
    code_cells,
    find_columns,
    parse_delimited,
    property_cell,
    written,
)
from ngffseg.formats.tables.table import Row
from ngffseg.formats.tables.words import free_properties
from ngffseg.model import Segment

# Slicer gives up a table in which the cell of a color is empty.
NEEDS_COLOR = True
HAS_LAYERS = True
HEADER = ["LabelValue", "Name", "Color_R", "Color_G", "Color_B", "Color_A", *CODE_HEADER]


def matches(text: str, _file: str) -> bool:
    """Return True if the first line names columns of label values and of names or colors."""
    return find_columns(text) is not None


def parse(text: str, _file: str) -> list[Row]:
    """Read a table whose cells are parted by commas, semicolons or tabs."""
    return parse_delimited(text)


def render(segments: Sequence[Segment], _file: str) -> str:
    """Write a color table of 3D Slicer."""
    layered = any(s.layer for s in segments)
    further = {
        "ID": [s.id if s.id != f"Segment_{s.label_value}" else "" for s in segments],
        "Layer": [str(s.layer) if layered else "" for s in segments],
        "Status": [s.status for s in segments],
    }
    keys = free_properties({key for s in segments for key in s.properties}, HEADER[0])
    further |= {
        key: [property_cell(s.properties[key]) if key in s.properties else "" for s in segments]
        for key in keys
    }
    further = {key: cells for key, cells in further.items() if any(cells)}
    rows = [
        [s.label_value, s.name, *(s.color or ()), *code_cells(s.codes), *cells]
        for s, *cells in zip(segments, *further.values(), strict=True)
    ]
    # As Slicer does, which quotes texts, also those that are empty.
    return written([*HEADER, *further], rows, ",", quoted=True)
