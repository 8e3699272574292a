"""What people hand in as an array, and what it tells of its grid."""

from __future__ import annotations

import math
from typing import Any

from ngffseg.errors import UsageError
from ngffseg.geometry import Geometry, scales
from ngffseg.geometry.coordinates import TOLERANCE
from ngffseg.geometry.grid import default_axes
from ngffseg.geometry.resolution import COLUMN
from ngffseg.model.array_kinds import KINDS, ArrayKind, Description


def plain_array(value: Any) -> Any:
    """What was handed in, as the rest of ngffseg reads arrays; what is none of the kinds here as it is.

    Raises
    ------
    UsageError
        If its axes are not some of t, c, z, y, x.
    """
    kind = _kind(value)
    return value if kind is None else kind.array(value)


def grid_of_array(value: Any) -> Geometry | None:
    """The grid that an array tells by its axes and coordinates; None where it tells nothing but their number.

    Raises
    ------
    UsageError
        If its axes are not some of t, c, z, y, x, its coordinates no grid, or its units unknown.
    """
    description, kind = _description(value), _kind(value)
    if description is None or kind is None:
        return None
    grid = description.grid(kind.array(value).shape)
    known = (
        description.scale
        or any(description.translation.values())
        or description.axes != default_axes(len(description.axes))
    )
    return grid if known else None


def words_of_array(value: Any) -> dict[str, Any]:
    """What an array tells of its axes, as words of `described_grid`; none where it tells nothing."""
    description = _description(value)
    if description is None:
        return {}
    words = {"scale": description.scale, "translation": description.translation, "units": description.units}
    return {"axes": description.axes} | {key: mapping for key, mapping in words.items() if mapping}


def check_description(value: Any, geometry: Geometry) -> None:
    """Refuse a geometry that contradicts what an array tells by its axes and coordinates.

    Raises
    ------
    UsageError
        If it does: other axes, a voxel size that is another by a hundredth, a unit, or (where there is no patient)
        a place that is another by a hundredth of a voxel.
    """
    description = _description(value)
    if description is None:
        return
    if description.axes != geometry.axes:
        raise UsageError(
            f"the array has the axes {', '.join(description.axes)}, its geometry {', '.join(geometry.axes)}: leave the geometry"
            " out, or give the plain array"
        )
    sizes = dict(zip(geometry.axes, scales(geometry), strict=True))
    grid = description.grid(geometry.shape)
    wrong: dict[str, str] = {}
    for axis, mine, theirs in zip(geometry.axes, geometry.units, grid.units, strict=True):
        if axis in description.units and mine not in (None, theirs):
            wrong[axis] = f"{mine} and {theirs}"
    for axis, size in description.scale.items():
        if not math.isclose(size, sizes[axis], rel_tol=TOLERANCE):
            wrong[axis] = f"steps of {sizes[axis]:g} and {size:g}"
    for axis, place in description.translation.items():
        own = geometry.affine[COLUMN[axis], 3]
        if geometry.frame is None and abs(own - place) > TOLERANCE * sizes[axis]:
            wrong.setdefault(axis, f"starts at {own:g} and {place:g}")
    if wrong:
        axis, what = next(iter(wrong.items()))
        raise UsageError(
            f"the geometry and the coordinates of the array contradict each other along {axis!r} ({what}): leave the"
            " geometry out, or give the plain array"
        )


def _kind(value: Any) -> ArrayKind | None:
    return next((kind for kind in KINDS if kind.knows(value)), None)


def _description(value: Any) -> Description | None:
    kind = _kind(value)
    return None if kind is None else kind.description(value)
