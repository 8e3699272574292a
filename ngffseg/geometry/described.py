"""Grids in simple words: names of axes, and a scale, a translation and a unit of each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ngffseg.errors import UsageError
from ngffseg.geometry.axes import axis_names
from ngffseg.geometry.grid import SPACE, Geometry, default_axes
from ngffseg.geometry.resolution import COLUMN, scales
from ngffseg.geometry.units import SECONDS, length_unit

PerAxis = Sequence[float] | Mapping[str, float]
Units = str | Sequence[str | None] | Mapping[str, str | None]


def described_grid(
    shape: Sequence[int],
    *,
    axes: str | Sequence[str] = (),
    scale: PerAxis | None = None,
    translation: PerAxis | None = None,
    units: Units | None = None,
) -> Geometry:
    """Return the grid of an array from simple words: its axes are not turned, and its frame is None.

    Parameters
    ----------
    shape
        Number of voxels of the array per axis.
    axes
        Names of its axes, as ``"tyx"`` or ``("t", "y", "x")``; by default the last of t, c, z, y, x.
    scale
        Distance of neighbouring voxels per axis, in array order or by name (1 where none is named): in the unit
        of the axis; between two time points; 1 for channels.
    translation
        Place of the centre of voxel 0, as ``scale``; 0 for time and channels.
    units
        One unit for all space axes, one per axis (None where there is none), or by name. Names and symbols of
        units of length and time: ``"micrometer"``, ``"µm"``, ``"second"``.

    Raises
    ------
    UsageError
        If the words contradict each other or the shape, or one of them is no number or no unit.
    """
    names = axis_names(axes) if axes else default_axes(len(shape))
    if len(names) != len(shape):
        raise UsageError(
            f"axes {''.join(names)!r} are {len(names)}, the shape {tuple(shape)} has {len(shape)}"
        )
    steps, starts = _numbers("scale", scale, names, 1.0), _numbers("translation", translation, names, 0.0)
    affine = np.eye(4)
    for axis, step, start in zip(names, steps, starts, strict=True):
        if step <= 0:
            raise UsageError(f"scale {step:g} of the axis {axis!r}: give a number above 0")
        if axis in SPACE:
            affine[COLUMN[axis], COLUMN[axis]], affine[COLUMN[axis], 3] = step, start
        elif start != 0 or (axis == "c" and step != 1):
            word, one = ("translation", "0") if start != 0 else ("scale", "1")
            raise UsageError(f"{word} of the axis {axis!r}: only space axes have one, give {one} there")
    step = steps[names.index("t")] if "t" in names else 1.0
    return Geometry(tuple(shape), affine, names, _units(units, names), time_step=step)


def redescribed(
    geometry: Geometry,
    *,
    axes: str | Sequence[str] = (),
    scale: PerAxis | None = None,
    translation: PerAxis | None = None,
    units: Units | None = None,
) -> Geometry:
    """The grid that words tell of an array whose file tells one, too: they overrule it, and what they leave out stays.

    Parameters
    ----------
    geometry
        The grid that the file tells.
    axes, scale, translation, units
        See `described_grid`. Axes get new names in the order of the array; their numbers stay where none are told.

    Returns
    -------
    Geometry
        It lies in no patient, and its axes lead to growing coordinates: words tell of nothing else.

    Raises
    ------
    UsageError
        See `described_grid`; or if the axes of the file are turned, which words cannot tell.
    """
    lengths = geometry.affine[:3, :3]
    if np.any(lengths != np.diag(np.diag(lengths))):
        raise UsageError(
            "its axes are turned, which words cannot tell: leave out axes, scale, translation and units"
        )
    names = axis_names(axes) if axes else geometry.axes
    stays = [a if a in SPACE and a == b else "" for a, b in zip(names, geometry.axes, strict=False)]
    starts = {a: float(geometry.affine[COLUMN[a], 3]) for a in stays if a}
    own = dict(zip(names, scales(geometry), strict=False)) | ({"c": 1.0} if "c" in names else {})
    units_by_axis = dict(zip(names, geometry.units, strict=False))
    return described_grid(
        geometry.shape,
        axes=names,
        scale=own if scale is None else scale,
        translation=starts if translation is None else translation,
        units={a: units_by_axis[a] for a in stays if a} if units is None else units,
    )


def _numbers(word: str, given: PerAxis | None, names: Sequence[str], default: float) -> list[float]:
    """A number per axis."""
    if given is None:
        return [default] * len(names)
    try:
        if isinstance(given, Mapping):
            found = [float(given.get(name, default)) for name in names]
        else:
            found = [float(each) for each in given]
    except (TypeError, ValueError):
        raise UsageError(f"{word} {given!r}: give a number per axis ({', '.join(names)})") from None
    _check_names(word, given, names)
    if len(found) != len(names) or not all(map(math.isfinite, found)):
        raise UsageError(f"{word} {_plain(given)}: give a number per axis ({', '.join(names)})")
    return found


def _units(given: Units | None, names: Sequence[str]) -> tuple[str | None, ...]:
    """A unit per axis, by the name that NGFF has for it."""
    _check_names("units", given, names)
    if given is None or isinstance(given, str):
        return tuple(_unit(given, name) if name in SPACE else None for name in names)
    found = [given.get(name) for name in names] if isinstance(given, Mapping) else list(given)
    if len(found) != len(names):
        raise UsageError(
            f"units {_plain(given)}: give one for all space axes, or one per axis ({', '.join(names)})"
        )
    return tuple(_unit(unit, name) for unit, name in zip(found, names, strict=True))


def _unit(word: str | None, axis: str) -> str | None:
    if word is None:
        return None
    known = {"s": "second", "sec": "second", "ms": "millisecond", "min": "minute", "h": "hour"}
    plain = known.get(str(word).strip(), str(word).strip().lower().removesuffix("s"))
    found = length_unit(str(word)) if axis in SPACE else (plain if axis == "t" and plain in SECONDS else None)
    if found is None:
        meant = "length" if axis in SPACE else ("time" if axis == "t" else "none: channels have no unit")
        raise UsageError(f"unit {word!r} of the axis {axis!r} is not known: give one of {meant}, or none")
    return found


def _check_names(word: str, given: Any, names: Sequence[str]) -> None:
    """Refuse names of axes that are not there."""
    unknown = [name for name in given if name not in names] if isinstance(given, Mapping) else []
    if unknown:
        raise UsageError(f"{word} names the axis {unknown[0]!r}, but the axes are {', '.join(names)}")


def _plain(given: Any) -> list[Any]:
    return list(given.values()) if isinstance(given, Mapping) else list(given)
