"""Outside formats, one file each; each becomes a `Segmentation` and back."""

from ngffseg.formats.file import read_segmentation, read_volume, write_segmentation
from ngffseg.formats.format import Format
from ngffseg.formats.registry import format_of, known_suffixes
from ngffseg.formats.tables import (
    LabelTable,
    Row,
    listed,
    plain_codes,
    read_table,
    table_beside,
    table_format,
    table_text,
    told_of,
)
from ngffseg.formats.told import tell, told_together
from ngffseg.formats.unnamed import is_unnamed

__all__ = [
    "Format",
    "LabelTable",
    "Row",
    "format_of",
    "is_unnamed",
    "known_suffixes",
    "listed",
    "plain_codes",
    "read_segmentation",
    "read_table",
    "read_volume",
    "table_beside",
    "table_format",
    "table_text",
    "tell",
    "told_of",
    "told_together",
    "write_segmentation",
]
