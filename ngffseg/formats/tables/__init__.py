"""Label tables: files that name label values, one kind each."""

from ngffseg.formats.tables.file import read_table, table_beside, table_text
from ngffseg.formats.tables.registry import table_format
from ngffseg.formats.tables.table import LabelTable, Row, listed

__all__ = ["LabelTable", "Row", "listed", "read_table", "table_beside", "table_format", "table_text"]
