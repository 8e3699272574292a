"""`BatchRow`: one import of a table."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from ngffseg.convert import stem
from ngffseg.errors import UsageError
from ngffseg.keywords import SIZES, WHOLE, nearest
from ngffseg.labels import PLACE_KEYWORDS, VoxelOrder, place_from_text
from ngffseg.ngff import VERSIONS
from ngffseg.pyramid import Method, Tie
from ngffseg.store import normalized

REQUIRED = ("source", "store")
YES_OR_NO = ("yes", "no")
WORDS = {
    "method": get_args(Method),
    "tie": get_args(Tie),
    "ngff": VERSIONS,
    "order": get_args(VoxelOrder),
    "overwrite": YES_OR_NO,
    "crop": YES_OR_NO,
    "resample": ("nearest",),
    "force_place": YES_OR_NO,
}
SIZED = {"chunks": SIZES, "shards": SIZES, "levels": WHOLE}
OPTIONS = (*WORDS, *SIZED, "codec")
COLUMNS = (*REQUIRED, "name", "image", "table", *OPTIONS, *PLACE_KEYWORDS)


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One import.

    Parameters
    ----------
    number
        Line of the table; the header is line 1.
    source
        File that is imported.
    store
        Address of the store that it goes to.
    name
        Name of the label image.
    image
        File of the image that was segmented, if any.
    options
        See `ngffseg.labels.WriteOptions` and `ngffseg.labels.PlaceOptions`, and ``overwrite``.
    table
        Label table of the file, if any.
    """

    number: int
    source: str
    store: str
    name: str
    image: str | None
    options: Mapping[str, Any] = field(default_factory=dict)
    table: str | None = None


def read_rows(table: str | Path) -> tuple[BatchRow, ...]:
    """Return the rows of a CSV file, whose relative paths start at its folder.

    Columns are ``source``, ``store`` and, where they are wanted, ``name``, ``image``, ``table`` and options:
    ``method``, ``tie``, ``chunks``, ``shards``, ``levels``, ``codec``, ``ngff``, ``order`` (canonical or keep),
    ``resample``, ``axes``, ``scale``, ``translation``, ``units``, and ``overwrite``, ``crop``, ``force_place`` (yes or no).
    An empty cell says nothing.

    Parameters
    ----------
    table
        The CSV file.

    Raises
    ------
    UsageError
        If the table cannot be understood, a column is missing or unknown, a cell is no such option, or two
        rows have one target; with the line.
    """
    path = Path(table)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            _check_columns(path, reader.fieldnames or ())
            rows = tuple(_rows(path, reader))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} cannot be read as a CSV file ({error}): check it") from error
    _check_targets(path, rows)
    return rows


def _check_columns(path: Path, found: Any) -> None:
    missing = [name for name in REQUIRED if name not in found]
    unknown = [name for name in found if name not in COLUMNS]
    if unknown:
        hint = nearest(unknown[0], COLUMNS)
        raise UsageError(
            f"{path} has an unknown column {unknown[0]!r}{hint and f': {hint}'} (known: {', '.join(COLUMNS)})"
        )
    if missing:
        raise UsageError(f"{path} has no column {missing[0]!r}: it needs {' and '.join(REQUIRED)}")
    if len(set(found)) != len(found):
        raise UsageError(f"{path} has a column twice: {', '.join(found)}")


def _rows(path: Path, reader: csv.DictReader[str]) -> Iterator[BatchRow]:
    for cells in reader:
        where = f"{path}, line {reader.line_num}"
        if None in cells or None in cells.values():
            raise UsageError(f"{where}: it has not as many cells as there are columns")
        given = {name: cell.strip() for name, cell in cells.items() if cell.strip()}
        if not given:
            continue
        for name in REQUIRED:
            if name not in given:
                raise UsageError(f"{where}: {name} is empty")
        source = _placed(path, given["source"])
        yield BatchRow(
            reader.line_num,
            source,
            normalized(_placed(path, given["store"])),
            given.get("name", stem(source)),
            _placed(path, given["image"]) if "image" in given else None,
            {name: _option(where, name, given[name]) for name in OPTIONS if name in given}
            | _place(where, {name: given[name] for name in PLACE_KEYWORDS if name in given}),
            _placed(path, given["table"]) if "table" in given else None,
        )


def _placed(path: Path, text: str) -> str:
    """A path of the table, seen from its folder; URLs as they are."""
    return text if "://" in text else str(path.absolute().parent / Path(text).expanduser())


def _place(where: str, given: Mapping[str, str]) -> dict[str, Any]:
    try:
        return dict(place_from_text(given))
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error


def _option(where: str, name: str, text: str) -> Any:
    """The value of an option."""
    if name in WORDS:
        if text not in WORDS[name]:
            raise UsageError(f"{where}: {name} {text!r} is none of {', '.join(WORDS[name])}")
        return text == "yes" if WORDS[name] == YES_OR_NO else text
    if name == "codec":
        return text
    if name == "shards" and text == "none":
        return None
    try:
        sizes = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            f"{where}: {name} {text!r} is no whole number, or several parted by commas"
        ) from None
    value = sizes[0] if len(sizes) == 1 else sizes
    try:
        return SIZED[name].plain(value)
    except (TypeError, ValueError):
        raise UsageError(f"{where}: {name} is {value}: give {SIZED[name].expected}") from None


def _check_targets(path: Path, rows: tuple[BatchRow, ...]) -> None:
    seen: dict[tuple[str, str], int] = {}
    for row in rows:
        target = (row.store, row.name)
        if target in seen:
            raise UsageError(
                f"{path}, line {row.number}: {row.name!r} in {row.store} is the target of line {seen[target]} too:"
                " give one of them another name"
            )
        seen[target] = row.number
