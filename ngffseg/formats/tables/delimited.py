"""Tables of columns, whatever parts them: comma, semicolon or tab."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from ngffseg.errors import FormatError
from ngffseg.formats.tables.cells import hex_color, label_value
from ngffseg.formats.tables.colored import colored_rows
from ngffseg.formats.tables.table import Row, put_color
from ngffseg.formats.tables.words import CODE_PARTS, CODES, Columns
from ngffseg.model import Code, CodedRegion, Codes

DELIMITERS = ("\t", ";", ",")
WHOLE = re.compile(r"0|-?[1-9][0-9]{0,30}")
FRACTION = re.compile(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30}([eE][-+]?[0-9]{1,2})?|[eE][-+]?[0-9]{1,2})")
# "String values that are missing MUST be coded as n/a" (BIDS).
MISSING = ("", "n/a")
Line = tuple[int, list[str]]


def find_columns(text: str) -> tuple[str, Columns] | None:
    """What parts the cells, and the columns that the first line names; None if it names none of labels."""
    head = next((line for line in text.split("\n") if line.strip() and not line.startswith("#")), "")
    for delimiter in DELIMITERS:
        try:
            cells = next(csv.reader([head], delimiter=delimiter, strict=True), [])
        except csv.Error:
            continue
        columns = Columns(cells)
        if columns.known:
            return delimiter, columns
    return None


def parse_delimited(text: str) -> list[Row]:
    """Rows of a table of columns.

    Raises
    ------
    FormatError
        If it cannot be understood; with the line.
    """
    found = find_columns(text)
    if found is None:
        raise FormatError("line 1 names no column of label values beside one of names or colors")
    delimiter, columns = found
    lines = list(_lines(text, delimiter, len(columns.header)))
    rows = colored_rows(
        ((f"line {number}", cells) for number, cells in lines),
        lambda cells: _row(columns, cells),
        whole="Color_R" in columns.header,
    )
    _add_properties(columns, [cells for _, cells in lines], rows)
    return rows


def _lines(text: str, delimiter: str, width: int) -> Iterator[Line]:
    """Cells of each row below the header, with the number of its line; comments before the header are no rows."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header = False
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells) or (not header and cells[0].startswith("#")):
                continue
            if not header:
                header = True
                continue
            if len(cells) < width or any(cell.strip() for cell in cells[width:]):
                raise FormatError(
                    f"line {reader.line_num}: it has {len(cells)} cells where line 1 names {width}: quote cells that"
                    f" hold {'a tab' if delimiter == chr(9) else repr(delimiter)}, and write numbers with a point"
                )
            yield reader.line_num, [cell.strip() for cell in cells[:width]]
    except csv.Error as error:
        raise FormatError(f"line {reader.line_num}: {error}: check its quotation marks") from None


def _row(columns: Columns, cells: Sequence[str]) -> tuple[Row, list[str]]:
    """A row without its properties, and the parts of its color where they are numbers."""

    def cell(number: int | None) -> str:
        """What a cell says; nothing where there is none."""
        return "" if number is None or cells[number].lower() in MISSING else cells[number]

    row: Row = {"label_value": label_value(cells[columns.value or 0])}
    if cell(columns.id):
        row["id"] = cell(columns.id)
    if cell(columns.name):
        row["name"] = cell(columns.name)
    if cell(columns.status):
        row["status"] = cell(columns.status)
    if cell(columns.layer):
        row["layer"] = label_value(cell(columns.layer))
    codes = _codes(*([cell(number) for number in columns.codes[code]] for code in CODES))
    if codes is not None:
        row["codes"] = codes
    parts = [cell(number) for number in columns.parts]
    if any(parts[:3]):
        return row, parts if parts[3] else parts[:3]
    text = cell(columns.color)
    found = hex_color(text)
    if found is not None:
        put_color(row, found[0], with_opacity=found[1])
    return row, [] if found is not None or not text else re.split(r"[ ,;]+", text.strip("()[] "))


def _codes(
    category: Sequence[str],
    kind: Sequence[str],
    modifier: Sequence[str],
    region: Sequence[str],
    region_modifier: Sequence[str],
) -> Codes | None:
    def code(texts: Sequence[str]) -> Code | None:
        """A code of its scheme, value and meaning."""
        scheme, value, meaning = texts
        return Code(value, scheme, meaning) if any(texts) else None

    type_modifier, place, of_place = code(modifier), code(region), code(region_modifier)
    found = Codes(
        code(category),
        code(kind),
        (type_modifier,) if type_modifier else (),
        (CodedRegion(place, (of_place,) if of_place else ()),) if place else (),
    )
    return None if found == Codes() else found


def _add_properties(columns: Columns, lines: Sequence[Sequence[str]], rows: Sequence[Row]) -> None:
    """Give rows what further columns say: numbers where all cells of a column are some, else text."""
    for number in columns.properties:
        texts = [line[number] for line in lines]
        kind = _kind([cell for cell in texts if cell.lower() not in MISSING])
        for row, cell in zip(rows, texts, strict=True):
            if cell.lower() not in MISSING:
                row["properties"] = {**row.get("properties", {}), columns.header[number].strip(): kind(cell)}


def _kind(cells: Sequence[str]) -> Callable[[str], Any]:
    """What makes values of the cells of a column."""
    if all(WHOLE.fullmatch(cell) or FRACTION.fullmatch(cell) for cell in cells):
        return lambda cell: int(cell) if WHOLE.fullmatch(cell) else float(cell)
    if all(cell in ("true", "false") for cell in cells):
        return lambda cell: cell == "true"
    return str


def plain_codes(codes: Codes) -> Codes | None:
    """What the columns of a table can say of codes: one modifier and one region, no terminology and no version."""
    cells = code_cells(codes)
    return _codes(*(cells[n : n + 3] for n in range(0, len(cells), 3)))


def code_cells(codes: Codes | None) -> list[str]:
    """Cells of the columns of codes: one modifier and one region."""
    codes = codes or Codes()
    region = codes.regions[0] if codes.regions else None
    texts = (
        codes.category,
        codes.type,
        codes.type_modifiers[0] if codes.type_modifiers else None,
        region.code if region else None,
        region.modifiers[0] if region and region.modifiers else None,
    )
    return [
        text for code in texts for text in ((code.scheme, code.value, code.meaning) if code else ("",) * 3)
    ]


def property_cell(value: Any) -> str:
    """The cell of a property; one that is no scalar is JSON, which comes back as text."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def written(
    header: Sequence[str], rows: Iterable[Sequence[int | str]], delimiter: str, *, quoted: bool = False
) -> str:
    """A table of columns as text; where texts are quoted, all of them are, and no number."""
    text = io.StringIO(newline="")
    writer = csv.writer(
        text,
        delimiter=delimiter,
        lineterminator="\n",
        quoting=csv.QUOTE_NONNUMERIC if quoted else csv.QUOTE_MINIMAL,
    )
    writer.writerow(header)
    # A carriage return is the end of a line to all who read text.
    writer.writerows(
        [cell.replace("\r", "\n") if isinstance(cell, str) else cell for cell in row] for row in rows
    )
    return text.getvalue()


CODE_HEADER = [f"{code}_{part}" for code in CODES for part in CODE_PARTS]
