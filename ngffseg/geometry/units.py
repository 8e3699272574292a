"""Grids in another unit: lengths and times are multiplied as decimal numbers, so that 40 nm are 4e-05 mm."""

from __future__ import annotations

from dataclasses import replace
from decimal import Context, Decimal

import numpy as np

from ngffseg.errors import FormatError
from ngffseg.geometry.grid import SPACE, Geometry
from ngffseg.geometry.resolution import COLUMN, MILLIMETERS

# Units of time of OME-Zarr, in UDUNITS-2 names.
SECONDS = {
    "yoctosecond": 1e-24,
    "zeptosecond": 1e-21,
    "attosecond": 1e-18,
    "femtosecond": 1e-15,
    "picosecond": 1e-12,
    "nanosecond": 1e-9,
    "microsecond": 1e-6,
    "millisecond": 1e-3,
    "centisecond": 1e-2,
    "decisecond": 0.1,
    "second": 1.0,
    "decasecond": 10.0,
    "minute": 60.0,
    "hectosecond": 100.0,
    "kilosecond": 1e3,
    "hour": 3600.0,
    "day": 86400.0,
    "megasecond": 1e6,
    "gigasecond": 1e9,
    "terasecond": 1e12,
    "petasecond": 1e15,
    "exasecond": 1e18,
    "zettasecond": 1e21,
    "yottasecond": 1e24,
}
# Words that files have for units of length, besides their names.
SYMBOLS = {
    "mm": "millimeter",
    "cm": "centimeter",
    "dm": "decimeter",
    "m": "meter",
    "um": "micrometer",
    "\u00b5m": "micrometer",
    "\u03bcm": "micrometer",
    "micron": "micrometer",
    "nm": "nanometer",
    "pm": "picometer",
    "\u00e5": "angstrom",
    "in": "inch",
}
# Digits of products and quotients: a double needs 17, two of them 34.
EXACT = Context(prec=60)


def length_unit(word: str) -> str | None:
    """The UDUNITS-2 name of a unit of length, from its name, plural, British spelling or symbol; `None` if it is none."""
    plain = word.strip().lower()
    singular = SYMBOLS.get(plain) or plain.removesuffix("s").replace("metre", "meter")
    unit = SYMBOLS.get(singular, singular)
    return unit if unit in MILLIMETERS else None


def in_unit(geometry: Geometry, unit: str) -> Geometry:
    """The grid with all lengths in one unit.

    Parameters
    ----------
    geometry
        A grid whose space axes all have units of length.
    unit
        UDUNITS-2 name of a unit of length, such as ``millimeter``.

    Raises
    ------
    FormatError
        If the space axes have different units and are turned: which unit a number has is not known then.
    """
    places = geometry.spatial_axes
    units = {geometry.units[place] for place in places}
    if units == {unit}:
        return geometry
    lengths = geometry.affine[:3, :3]
    if len(units) > 1 and np.any(lengths != np.diag(np.diag(lengths))):
        raise FormatError("the space axes have different units and are turned: give all of them one unit")
    # Rows lead to x, y and z; without z its row has the unit of the others.
    own = dict.fromkeys(range(3), geometry.units[places[0]])
    own |= {COLUMN[geometry.axes[place]]: geometry.units[place] for place in places}
    present = [COLUMN[geometry.axes[place]] for place in places]
    affine = geometry.affine.copy()
    for row, name in own.items():
        for column in (*present, 3):
            affine[row, column] = converted(float(affine[row, column]), MILLIMETERS, name or "", unit)
    names = tuple(unit if axis in SPACE else u for axis, u in zip(geometry.axes, geometry.units, strict=True))
    return replace(geometry, affine=affine, units=names)


def converted(value: float, table: dict[str, float], unit: str, other: str) -> float:
    """A value of one unit of a table in another one, rounded once."""
    factor = EXACT.divide(Decimal(repr(table[unit])), Decimal(repr(table[other])))
    return float(EXACT.multiply(Decimal(repr(value)), factor))
