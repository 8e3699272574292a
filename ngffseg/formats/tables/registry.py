"""Which module reads and writes which kind of label table: one lazy list, as for other formats.

Texts are told apart by what they hold, since ``.txt`` and ``.csv`` say too little; what is written is chosen by
the end of the name.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import cast

from ngffseg.errors import UnknownFormatError
from ngffseg.formats.tables.table import TableFormat

# End of the name: module. Of two that fit, the longer one is taken.
TABLES = {
    ".csv": "csv_table",
    ".tsv": "tsv_table",
    ".ctbl": "color_table",
    "lut.txt": "freesurfer",
    ".txt": "itksnap",
    ".json": "json_table",
}


def table_format(path: str | os.PathLike[str]) -> TableFormat:
    """The format in which a table of this name is written.

    Raises
    ------
    UnknownFormatError
        If the end of its name tells none.
    """
    name = Path(path).name.lower()
    suffix = max((suffix for suffix in TABLES if name.endswith(suffix)), key=len, default=None)
    if suffix is None:
        raise UnknownFormatError(f"{path}: no table ends like this: use one of {' '.join(TABLES)}")
    return _loaded(TABLES[suffix])


def format_of_text(text: str, file: str) -> TableFormat:
    """The format of a text.

    Raises
    ------
    UnknownFormatError
        If it is of none.
    """
    for name in TABLES.values():
        found = _loaded(name)
        if found.matches(text, file):
            return found
    raise UnknownFormatError(
        f"{file} is no label table: its first line must name its columns (a label value, and a name or a color),"
        " or it is a color table of Slicer, ITK-SNAP or FreeSurfer, or JSON"
    )


def _loaded(name: str) -> TableFormat:
    return cast("TableFormat", importlib.import_module(f"ngffseg.formats.tables.{name}"))
