"""Layers and geometry of a NRRD file, from its header and voxels."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from ngffseg.errors import FormatError
from ngffseg.formats.nrrd.header import Header
from ngffseg.formats.nrrd.units import FIELD, stated_units
from ngffseg.geometry import MILLIMETERS, Geometry, converted, from_nrrd, nrrd_frame
from ngffseg.grid import Labels


@dataclass(frozen=True, slots=True)
class Grid:
    """Layers of a NRRD file in z, y, x order (or y, x), their grid, and what somebody should know about it."""

    layers: tuple[Labels, ...]
    geometry: Geometry
    notes: tuple[str, ...]


def read_grid(header: Header, data: Labels) -> Grid:
    """The layers and the grid of a file.

    A file of four axes has one that is not space (kind ``list``, direction ``none``): layers.

    Raises
    ------
    FormatError
        If the header contradicts itself or has other axes.
    """
    directions, listed = _directions(header, data.ndim)
    layers: tuple[Labels, ...] = (data,)
    if listed is not None:
        axis = data.ndim - 1 - listed  # the array has the axes of the file reversed
        layers = tuple(np.ascontiguousarray(layer) for layer in np.moveaxis(data, axis, 0))
    axes = [axis for axis in range(data.ndim) if axis != listed]
    notes: list[str] = []
    units = stated_units(header, len(directions[0]), axes, notes)
    geometry = _geometry(header, layers[0].shape, directions, axes)
    return Grid(layers, _with_units(geometry, units, notes), tuple(notes))


def stated_unit(header: Header, geometry: Geometry) -> str | None:
    """The unit of a file that tells one in its space units, else `None`."""
    return geometry.units[-1] if FIELD in header.fields else None


def _directions(header: Header, ndim: int) -> tuple[list[list[float]], int | None]:
    """Direction of each space axis of the file, and which axis is the list of layers."""
    listed: int | None = None
    if "space directions" in header.fields:
        vectors = header.vectors("space directions", header.space_size())
        if len(vectors) != ndim:
            raise FormatError(f"the NRRD file has {ndim} axes, but {len(vectors)} space directions")
        none = [axis for axis, vector in enumerate(vectors) if vector is None]
        if len(none) > 1:
            raise FormatError(
                f"the NRRD file has {len(none)} axes that are not space: at most one can be layers"
            )
        listed = none[0] if none else None
        found = [vector for vector in vectors if vector is not None]
    else:
        kinds = header.fields.get("kinds", "").lower().split()
        lists = [axis for axis, kind in enumerate(kinds) if kind in ("list", "vector")]
        listed = lists[0] if len(lists) == 1 and ndim == 4 else None
        steps = _axis_numbers(header, "spacings", ndim)
        if listed is not None:
            del steps[listed]
        found = np.diag([1.0 if math.isnan(step) else step for step in steps]).tolist()
    if len(found) not in (2, 3) or not 2 <= len(found[0]) <= 3:
        raise FormatError(
            f"the NRRD file has {len(found)} space axes in {len(found[0]) if found else 0} directions: "
            "2 or 3 are known, and one axis of layers"
        )
    return found, listed


def _axis_numbers(header: Header, name: str, ndim: int) -> list[float]:
    """One number per axis, NaN where nothing is known."""
    words = header.fields.get(name, "").split() or ["nan"] * ndim
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        raise FormatError(f"the NRRD field {name!r} holds no numbers: {' '.join(words)[:60]!r}") from None
    if len(numbers) != ndim:
        raise FormatError(f"the NRRD file has {ndim} axes, but {len(numbers)} {name}")
    return numbers


def _geometry(
    header: Header, shape: tuple[int, ...], directions: list[list[float]], axes: list[int]
) -> Geometry:
    rows = [[*vector, 0.0][:3] for vector in directions]
    if len(rows) < 3:
        rows.append(_normal(rows))
    space = header.fields.get("space", "")
    origin = _origin(header, directions, axes)
    return Geometry(shape, from_nrrd(space, rows, origin), frame=nrrd_frame(space))


def _normal(rows: list[list[float]]) -> list[float]:
    """What stands upright on a plane; zero, which is no direction, where the plane is a line."""
    normal = np.cross(*np.asarray(rows))
    length = float(np.linalg.norm(normal))
    return (normal / length).tolist() if length else [0.0] * 3


def _origin(header: Header, directions: list[list[float]], axes: list[int]) -> list[float]:
    """Centre of voxel 0, where the file tells it."""
    width = len(directions[0])
    if "space origin" in header.fields:
        found = header.vectors("space origin", width)
        if len(found) != 1 or found[0] is None:
            raise FormatError(
                f"the NRRD field 'space origin' is one vector: {header.fields['space origin'][:60]!r}"
            )
        return [*found[0], 0.0][:3]
    if "space directions" in header.fields or "axis mins" not in header.fields:
        return [0.0] * 3
    # Without a space, as teem and ITK do: "axis mins" is the edge of the first sample, or its centre for nodes.
    count = len(header.numbers("sizes"))
    least, kinds = (
        _axis_numbers(header, "axis mins", count),
        header.fields.get("centerings", "").lower().split(),
    )
    steps = [directions[place][place] for place in range(width)]
    nodes = [axis < len(kinds) and kinds[axis] == "node" for axis in axes]
    first = [least[a] + (0.0 if n else s / 2) for a, n, s in zip(axes, nodes, steps, strict=True)]
    return [*first, 0.0][:3] if all(map(math.isfinite, first)) else [0.0] * 3


def _with_units(geometry: Geometry, units: tuple[str, ...], notes: list[str]) -> Geometry:
    """The grid in the unit of its file; in millimetres where its directions have several."""
    if len(set(units)) == 1:
        return replace(geometry, units=(units[0],) * len(geometry.shape))
    notes.append(
        f"its directions have different units ({', '.join(units)}): all are converted to millimetres"
    )
    # Rows of the affine lead along the directions of the space: each is converted by itself.
    affine = geometry.affine.copy()
    for row, unit in enumerate(units):
        affine[row] = [converted(float(v), MILLIMETERS, unit, "millimeter") for v in affine[row]]
    return replace(geometry, affine=affine)
