"""Rows whose colors are known when all of them are: only together they tell what their numbers mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from ngffseg.errors import FormatError
from ngffseg.formats.tables.cells import Colors
from ngffseg.formats.tables.table import Row, put_color

T = TypeVar("T")


def colored_rows(
    entries: Iterable[tuple[str, T]], row_of: Callable[[T], tuple[Row, list[str]]], *, whole: bool
) -> list[Row]:
    """Rows of a table with their colors.

    Parameters
    ----------
    entries
        Where each stands, for errors to tell, and what stands there.
    row_of
        The row that it is, and the parts of its color where they are numbers.
    whole
        See `Colors`.

    Raises
    ------
    FormatError
        If one is no row, or nobody can say what its color is.
    """
    colors, rows = Colors(whole=whole), []
    given = []
    for where, entry in entries:
        try:
            row, parts = row_of(entry)
            given.append(colors.add(parts) if parts else None)
        except FormatError as error:
            raise FormatError(f"{where}: {error}") from None
        rows.append(row)
    for row, color in zip(rows, given, strict=True):
        if color is not None:
            put_color(row, colors.color(color), with_opacity=len(color) == 4)
    return rows
