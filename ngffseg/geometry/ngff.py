"""Geometry in the words of OME-Zarr: scale, translation and anatomical orientation per axis.

Up to version 0.5, OME-Zarr knows no rotation. With D the directions of the axes and o the place of voxel 0,
scale is the spacing, and translation is:

- where the axes lie along those of the patient, o itself: x of the axis x to the left, y to posterior, z to
  superior, whichever way and along whichever of them the axis runs. So readers of RFC-4 have it, which take
  the direction from the orientation of the axis.
- else D^-1 o (D^T o for orthogonal axes), which is o seen along the axes of the image. Images that share D
  stay aligned in every reader; the affine itself is kept beside, exactly.

Levels of one image differ in both by what lies between their first voxels along the axes of the image: there
readers place levels among each other, whatever the orientation says.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ngffseg.geometry.grid import SPACE, Frame, Geometry
from ngffseg.geometry.resolution import COLUMN, millimetres, spacing

# RFC-4, https://ngff.openmicroscopy.org/rfc/4/: values for the directions of growth -/+ in L, P, S.
ORIENTATIONS = (
    ("left-to-right", "right-to-left"),
    ("posterior-to-anterior", "anterior-to-posterior"),
    ("superior-to-inferior", "inferior-to-superior"),
)
# Axes whose cosines differ by less from those of the patient lie along them: files hold float32.
ALONG = 1e-6


def along_axes(geometry: Geometry) -> tuple[float, ...]:
    """Place of voxel 0 along the axes of the image, in array order (time and channels: 0)."""
    directions = geometry.affine[:3, :3] / spacing(geometry)
    origin = geometry.affine[:3, 3]
    orthogonal = np.allclose(directions.T @ directions, np.eye(3), rtol=0, atol=1e-9)
    along = (directions.T @ origin if orthogonal else np.linalg.solve(directions, origin)).tolist()
    return tuple(float(along[COLUMN[a]]) + 0.0 if a in SPACE else 0.0 for a in geometry.axes)


def ngff_origin(geometry: Geometry, finest: Geometry | None = None) -> tuple[float, ...]:
    """Translation of a grid per axis, in array order (time and channels: 0).

    Parameters
    ----------
    geometry
        The grid.
    finest
        Level 0 of the image of which the grid is a level; by default the grid itself is.
    """
    level0 = finest if finest is not None else geometry
    turn = _along_patient(level0)
    if turn is None:
        return along_axes(geometry)
    found = []
    for axis in geometry.axes:
        if axis not in SPACE:
            found.append(0.0)
            continue
        row, sign = turn[axis]
        start = float(level0.affine[COLUMN[axis], 3])
        # Where the axis is its own one of the patient, this is the place of the level, to the last bit.
        rest = start - sign * float(level0.affine[row, 3])
        found.append(
            (sign * float(geometry.affine[row, 3]) + rest if geometry is not level0 else start) + 0.0
        )
    return tuple(found)


def _along_patient(geometry: Geometry) -> dict[str, tuple[int, int]] | None:
    """The axis of the patient along which each space axis runs, and its sign; None if one runs between them.

    None, too, where readers of RFC-4 could not tell the place: where nobody has said that this is a patient,
    and where an axis of two runs along the patient axis of the one that is missing.
    """
    if geometry.frame != "patient":
        return None
    directions = geometry.affine[:3, :3] / spacing(geometry)
    found: dict[str, tuple[int, int]] = {}
    for axis in (geometry.axes[place] for place in geometry.spatial_axes):
        column = directions[:, COLUMN[axis]]
        row = int(np.argmax(np.abs(column)))
        if np.abs(np.delete(column, row)).max() > ALONG:
            return None
        found[axis] = row, 1 if column[row] > 0 else -1
    return found if {row for row, _ in found.values()} == {COLUMN[axis] for axis in found} else None


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
    stated = np.array([translation[axis] for axis in reversed(SPACE)]) + steps * middle
    away = float(np.linalg.norm(geometry.affine[:3, :3] @ middle + geometry.affine[:3, 3] - stated))
    return away * millimetres(geometry) if away > steps.min() / 100 else 0.0


def from_ngff(
    shape: Sequence[int],
    axes: Sequence[str],
    units: Sequence[str | None],
    scale: Sequence[float],
    translation: Sequence[float],
    orientations: Sequence[str | None] = (),
) -> Geometry:
    """Geometry of an OME-Zarr image that says no more than scale, translation and orientation of level 0.

    Where each space axis has an orientation of RFC-4 that leads to left, right, posterior, anterior, superior
    or inferior, and all of these differ, the frame is that of the patient: the orientation tells the direction
    of an axis, and the translation the place of voxel 0, x to the left, y to posterior, z to superior,
    whatever the orientation is, as ngff-zarr and 3D Slicer read it. Else nobody has said where the
    image lies in a patient: axes lead to growing coordinates, and there is no frame.
    Units are kept as they are; the affine is in the unit of the axes.
    """
    affine, step = np.eye(4), 1.0
    stated = dict(zip(axes, orientations, strict=True)) if orientations else {}
    directions = _directions({axis: stated.get(axis) for axis in axes if axis in SPACE})
    for axis, s, t in zip(axes, scale, translation, strict=True):
        if axis in SPACE:
            column = directions[axis] if directions is not None else np.eye(3)[COLUMN[axis]]
            affine[:3, COLUMN[axis]] = column * s + 0.0
            affine[COLUMN[axis], 3] = t
        elif axis == "t":
            step = float(s)
    frame: Frame | None = "patient" if directions is not None else None
    return Geometry(tuple(shape), affine, tuple(axes), tuple(units), frame, time_step=step)


def _directions(stated: dict[str, str | None]) -> dict[str, npt.NDArray[np.float64]] | None:
    """Unit vectors of space axes by their orientation; None if they do not tell of a patient."""
    known = {
        word: (row, sign)
        for row, pair in enumerate(ORIENTATIONS)
        for word, sign in zip(pair, (-1, 1), strict=True)
    }
    found = {axis: known[word] for axis, word in stated.items() if word in known}
    if len(found) < len(stated) or {row for row, _ in found.values()} != {COLUMN[axis] for axis in stated}:
        return None
    return {axis: np.eye(3)[row] * sign for axis, (row, sign) in found.items()}


def same_directions(a: Geometry, b: Geometry) -> bool:
    """Return True if readers that know only scale and translation place both grids alike."""
    first = a.affine[:3, :3] / spacing(a)
    second = b.affine[:3, :3] / spacing(b)
    return bool(np.allclose(first, second, rtol=0, atol=1e-4))
