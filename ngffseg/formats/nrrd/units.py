"""Units of length of a NRRD file: ``space units`` of its space, or ``units`` of its axes where it has none."""

from __future__ import annotations

import re

from ngffseg.errors import FormatError
from ngffseg.formats.nrrd.header import Header
from ngffseg.geometry import length_unit

# "quoted strings"; some writers leave the quotes out.
WORD = re.compile(r'"([^"]*)"|(\S+)')
DEFAULT = "millimeter"
FIELD, AXIS_FIELD = "space units", "units"


def stated_units(header: Header, width: int, axes: list[int], notes: list[str]) -> tuple[str, ...]:
    """The unit of each direction of space (UDUNITS-2); millimetres where the file tells none.

    Parameters
    ----------
    header
        Of the file.
    width
        Number of directions of its space.
    axes
        Its space axes, by number in the file.
    notes
        Gets a line where a word is no unit of length.

    Raises
    ------
    FormatError
        If there are more or fewer words than directions or axes.
    """
    if FIELD in header.fields:
        return tuple(
            _unit(word, FIELD, notes) for word in _words(header, FIELD, width, "directions of space")
        )
    if AXIS_FIELD in header.fields and "space directions" not in header.fields:
        words = _words(header, AXIS_FIELD, len(header.numbers("sizes")), "axes")
        return tuple(_unit(words[axis], AXIS_FIELD, notes) for axis in axes)
    return (DEFAULT,) * width


def _words(header: Header, name: str, count: int, what: str) -> list[str]:
    words = [quoted or bare for quoted, bare in WORD.findall(header.fields[name])]
    if len(words) != count:
        raise FormatError(f"the NRRD file has {count} {what}, but {len(words)} {name}")
    return words


def _unit(word: str, field: str, notes: list[str]) -> str:
    if not word.strip():
        return DEFAULT
    unit = length_unit(word)
    if unit is None:
        notes.append(
            f"the NRRD field '{field}' holds {word[:40]!r}, which is no unit of length: taken for millimetres"
        )
        return DEFAULT
    return unit
