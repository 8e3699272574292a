"""Geometry in the words of OME-Zarr: scale, translation and anatomical orientation per axis.

Up to version 0.5, OME-Zarr knows neither rotation nor a patient frame. Its intrinsic frame is
therefore taken along the axes of the image: with D the directions of the axes and o the LPS
position of voxel 0, scale is the spacing and translation is D^-1 o (D^T o for orthogonal axes).
Images that share D stay aligned in every reader; the affine itself is kept beside, exactly.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ngffseg.geometry.grid import SPACE, Geometry
from ngffseg.geometry.resolution import COLUMN, millimetres, spacing

# RFC-4, https://ngff.openmicroscopy.org/rfc/4/: values for the directions of growth -/+ in L, P, S.
ORIENTATIONS = (
    ("left-to-right", "right-to-left"),
    ("posterior-to-anterior", "anterior-to-posterior"),
    ("superior-to-inferior", "inferior-to-superior"),
)


def ngff_origin(geometry: Geometry) -> tuple[float, ...]:
    """Translation of the grid per axis, in array order (time and channels: 0)."""
    directions = geometry.affine[:3, :3] / spacing(geometry)
    origin = geometry.affine[:3, 3]
    orthogonal = np.allclose(directions.T @ directions, np.eye(3), rtol=0, atol=1e-9)
    along = (directions.T @ origin if orthogonal else np.linalg.solve(directions, origin)).tolist()
    return tuple(float(along[COLUMN[a]]) + 0.0 if a in SPACE else 0.0 for a in geometry.axes)


def anatomical_orientation(geometry: Geometry) -> dict[str, str]:
    """RFC-4 orientation of each space axis: the patient axis that it is closest to.

    Returns an empty dict where two image axes are closest to the same patient axis.
    """
    directions = geometry.affine[:3, :3] / spacing(geometry)
    found: dict[str, str] = {}
    for axis in geometry.axes:
        if axis in SPACE:
            column = directions[:, COLUMN[axis]]
            closest = int(np.argmax(np.abs(column)))
            found[axis] = ORIENTATIONS[closest][int(column[closest] > 0)]
    distinct = {frozenset(o.split("-to-")) for o in found.values()}
    return found if len(distinct) == len(found) else {}


def anatomical_code(geometry: Geometry) -> str:
    """Letters of the patient's directions to which x, y and z are closest, such as ``LPS``; empty if nobody knows."""
    found = anatomical_orientation(geometry) if geometry.frame == "patient" else {}
    return "".join(found[axis].rpartition("-")[2][0].upper() for axis in reversed(SPACE) if axis in found)


def misplacement(geometry: Geometry) -> float:
    """Return by how far readers misplace the centre of the volume that take scale and translation for LPS, in mm.

    They know neither rotation nor orientation. It is 0 where the frame is not that of the patient, or there are
    fewer than three space axes, and where it is less than a hundredth of a voxel: that is rounding.
    """
    if geometry.frame != "patient" or len(geometry.spatial_axes) < len(SPACE):
        return 0.0
    sizes = dict(zip(geometry.axes, geometry.shape, strict=True))
    translation = dict(zip(geometry.axes, ngff_origin(geometry), strict=True))
    steps = spacing(geometry)
    middle = np.array([(sizes[axis] - 1) / 2 for axis in reversed(SPACE)])
    told = np.array([translation[axis] for axis in reversed(SPACE)]) + steps * middle
    away = float(np.linalg.norm(geometry.affine[:3, :3] @ middle + geometry.affine[:3, 3] - told))
    return away * millimetres(geometry) if away > steps.min() / 100 else 0.0


def from_ngff(
    shape: Sequence[int],
    axes: Sequence[str],
    units: Sequence[str | None],
    scale: Sequence[float],
    translation: Sequence[float],
) -> Geometry:
    """Geometry of an OME-Zarr image that says no more than scale and translation.

    Its axes are taken as those of the patient: x to the left, y to posterior, z to superior.
    Units are kept as they are; the affine is in the unit of the axes.
    """
    affine = np.eye(4)
    step = 1.0
    for axis, s, t in zip(axes, scale, translation, strict=True):
        if axis in SPACE:
            affine[COLUMN[axis], COLUMN[axis]] = s
            affine[COLUMN[axis], 3] = t
        elif axis == "t":
            step = float(s)
    return Geometry(tuple(shape), affine, tuple(axes), tuple(units), time_step=step)


def same_directions(a: Geometry, b: Geometry) -> bool:
    """Whether readers that know only scale and translation place both grids alike."""
    first = a.affine[:3, :3] / spacing(a)
    second = b.affine[:3, :3] / spacing(b)
    return bool(np.allclose(first, second, rtol=0, atol=1e-4))
