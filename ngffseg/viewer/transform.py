"""Where stored arrays lie in neuroglancer: dimensions by name, their steps, and the turn to L, P, S."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ngffseg.geometry import MILLIMETERS, SECONDS, Geometry, ngff_origin, patient_rows, scales, spacing

METERS = {unit: length * 1e-3 for unit, length in MILLIMETERS.items()}
# A dimension that each layer has for itself, at a place of its own.
CHANNELS = "c'"


def source_transform(geometry: Geometry, translation: Sequence[float] = ()) -> dict[str, Any] | None:
    """The turn from the axes of a grid to L, P, S; None where they are the same, or there are two only.

    Where there are channels it is told in any case, since it is what names their dimension.

    neuroglancer knows scale and translation from the store, and takes them along the axes of the image. What is
    left is their direction D, and what the translation lacks of D^-1 o: others mean o by it, and so do we where
    axes lie along those of the patient. Linear parts of the matrix are between lengths, whatever the steps of both
    sides are; its last column is in steps of the output dimensions.

    Parameters
    ----------
    geometry
        The grid.
    translation
        That of level 0 in the store, per axis in array order; by default what is written for the grid.
    """
    rank, several = len(geometry.axes), "c" in geometry.axes
    matrix = np.eye(rank, rank + 1)
    if len(geometry.spatial_axes) < 3:
        return _transform(geometry, matrix, {}) if several else None
    directions = geometry.affine[:3, :3] / spacing(geometry)
    shifts = dict(zip(geometry.axes, translation or ngff_origin(geometry), strict=True))
    shift = geometry.affine[:3, 3] - directions @ [shifts[axis] for axis in "xyz"]
    near = np.abs(shift) < 1e-6 * spacing(geometry).min()
    if near.all() and np.array_equal(directions, np.eye(3)) and not several:
        return None
    out = output_steps(geometry)
    for row in geometry.spatial_axes:
        axis = geometry.axes[row]
        for place in geometry.spatial_axes:
            matrix[row, place] = directions["xyz".index(axis), "xyz".index(geometry.axes[place])]
        if not near["xyz".index(axis)]:
            matrix[row, rank] = shift["xyz".index(axis)] / out[axis]
    return _transform(geometry, matrix, out)


def _transform(
    geometry: Geometry, matrix: npt.NDArray[np.float64], steps: Mapping[str, float]
) -> dict[str, Any]:
    dimensions = {
        CHANNELS if axis == "c" else axis: step_of(geometry, axis, steps.get(axis)) for axis in geometry.axes
    }
    return {"matrix": matrix.tolist(), "outputDimensions": dimensions}


def output_steps(geometry: Geometry) -> dict[str, float]:
    """Steps along L, P, S: those of the axes of the image that lie closest to them."""
    steps = spacing(geometry)
    axes = [geometry.axes[n] for n in geometry.spatial_axes]
    closest = {row: steps["xyz".index(axis)] for axis, row in zip(axes, patient_rows(geometry), strict=True)}
    return {"xyz"[row]: float(step) for row, step in closest.items()}


def step_of(geometry: Geometry, axis: str, step: float | None = None) -> list[Any]:
    """The length of a step along an axis, and its unit, as neuroglancer has them."""
    place = geometry.axes.index(axis)
    unit = geometry.units[place] or ""
    size = scales(geometry)[place] if step is None else step
    for sizes, si in ((METERS, "m"), (SECONDS, "s")):
        known: Mapping[str, float] = sizes
        if unit in known:
            return [size * known[unit], si]
    return [size, ""]
