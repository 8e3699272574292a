"""Outside formats, one file each; each becomes a `Segmentation` and back."""

from typing import TYPE_CHECKING

from ngffseg.face import lazy_face

if TYPE_CHECKING:
    from ngffseg.formats.file import read_segmentation, read_volume, write_segmentation
    from ngffseg.formats.format import Format
    from ngffseg.formats.notices import one_warning, tell
    from ngffseg.formats.registry import format_of, known_suffixes
    from ngffseg.formats.tables import (
        LabelTable,
        Row,
        listed,
        plain_codes,
        read_table,
        segment_fields,
        table_beside,
        table_format,
        table_text,
    )
    from ngffseg.formats.unnamed import is_unnamed
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "file": "read_segmentation read_volume write_segmentation",
            "format": "Format",
            "notices": "one_warning tell",
            "registry": "format_of known_suffixes",
            "tables": "LabelTable Row listed plain_codes read_table segment_fields table_beside table_format table_text",
            "unnamed": "is_unnamed",
        },
    )

__all__ = [
    "Format",
    "LabelTable",
    "Row",
    "format_of",
    "is_unnamed",
    "known_suffixes",
    "listed",
    "one_warning",
    "plain_codes",
    "read_segmentation",
    "read_table",
    "read_volume",
    "segment_fields",
    "table_beside",
    "table_format",
    "table_text",
    "tell",
    "write_segmentation",
]
