"""Label tables: files that name label values, one kind each."""

from typing import TYPE_CHECKING

from ngffseg.face import lazy_face

if TYPE_CHECKING:
    from ngffseg.formats.tables.delimited import plain_codes
    from ngffseg.formats.tables.file import read_table, table_beside, table_text
    from ngffseg.formats.tables.registry import table_format
    from ngffseg.formats.tables.table import LabelTable, Row, listed, segment_fields
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "delimited": "plain_codes",
            "file": "read_table table_beside table_text",
            "registry": "table_format",
            "table": "LabelTable Row listed segment_fields",
        },
    )

__all__ = [
    "LabelTable",
    "Row",
    "listed",
    "plain_codes",
    "read_table",
    "segment_fields",
    "table_beside",
    "table_format",
    "table_text",
]
