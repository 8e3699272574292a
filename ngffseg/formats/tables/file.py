"""Label tables as files: one is read, found beside a segmentation, or made."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ngffseg.errors import FormatError, LossError, UsageError
from ngffseg.formats.tables.lost import lost_of
from ngffseg.formats.tables.registry import TABLES, format_of_text, table_format
from ngffseg.formats.tables.table import LabelTable, checked_table, segment_of
from ngffseg.model import Color, Loss, Segment

# A larger file beside a segmentation is not looked into: it is hardly a table of its labels.
LARGEST_HINT = 16 << 20


def read_table(path: str | os.PathLike[str]) -> LabelTable:
    """Read a label table; what it holds tells its format.

    Raises
    ------
    UsageError
        If there is no such file.
    FormatError
        If it is no label table, or a value or a name stands in it twice; with the line.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise UsageError(f"{file}: there is no such file: check the path")
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FormatError(f"{file.name} is not in UTF-8: save it as UTF-8 (Excel: CSV UTF-8)") from None
    except OSError as error:
        raise FormatError(
            f"{file} cannot be read ({error.strerror or error}): check its rights and its disk"
        ) from error
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        rows = format_of_text(text, file.name).parse(text, file.name)
    except FormatError as error:
        raise error if file.name in str(error) else type(error)(f"{file.name}, {error}") from error
    for row in rows:
        segment_of(row, f"{file.name}, label value {row['label_value']}")
    return checked_table(rows, file.name)


def table_beside(stem: Path) -> LabelTable | None:
    """The label table that lies beside a segmentation, under its name without the suffix; None if there is none.

    ``_ColorTable`` is what 3D Slicer puts behind the name of a labelmap that it exports.
    """
    suffixes = [suffix for suffix in TABLES if suffix.startswith(".")]
    files = [
        stem.with_name(f"{stem.name}{tail}{suffix}") for tail in ("", "_ColorTable") for suffix in suffixes
    ]
    for file in files:
        if file.is_file() and file.stat().st_size <= LARGEST_HINT:
            with contextlib.suppress(FormatError):
                return read_table(file)
    return None


def table_text(
    segments: Sequence[Segment], path: str | os.PathLike[str], color_of: Callable[[int], Color]
) -> tuple[str, tuple[Loss, ...]]:
    """The text of a table of segments, and what it cannot hold.

    Parameters
    ----------
    segments
        What it is to hold; the background is left out.
    path
        The name that it is going to have: its end chooses the format.
    color_of
        The color of a label value for formats that need one for each.

    Raises
    ------
    UnknownFormatError
        If the end of the name tells no format.
    LossError
        If a label value is in several layers, and the format has no column for layers.
    """
    chosen, file = table_format(path), Path(path).name
    kept = [segment for segment in segments if segment.label_value]
    if not chosen.HAS_LAYERS:
        _check_layers(kept, file)
    shown = [
        s if s.color or not chosen.NEEDS_COLOR else replace(s, color=color_of(s.label_value)) for s in kept
    ]
    text = chosen.render(shown, file)
    background = [Loss("table", "the background has no row in it")] if len(kept) != len(segments) else []
    # What was lost is what does not come back.
    return text, (*background, *lost_of(kept, chosen.parse(text, file)))


def _check_layers(segments: Sequence[Segment], file: str) -> None:
    seen: dict[int, int] = {}
    for segment in segments:
        other = seen.setdefault(segment.label_value, segment.layer)
        if other != segment.layer:
            raise LossError(
                f"{file}: label value {segment.label_value} is in layers {other} and {segment.layer}, and the format"
                " has no column for layers: write .csv, .tsv or .json"
            )
