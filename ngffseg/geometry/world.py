"""Geometry for viewers whose world has the axes of the array: which patient axis lies along which."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ngffseg.errors import UsageError
from ngffseg.geometry.grid import SPACE, Geometry, default_axes
from ngffseg.geometry.ngff import along_axes
from ngffseg.geometry.resolution import COLUMN, scales, spacing


def array_affine(geometry: Geometry) -> npt.NDArray[np.float64]:
    """The affine from array index to a world whose axes follow those of the array.

    Viewers such as napari slice the array along the axis of the world that has its number, so each space
    axis of the array goes to the axis of the patient that it lies closest to, all three to different ones
    (z, y, x of an axial scan to superior, posterior, left). Lengths and angles are those in the patient.

    Parameters
    ----------
    geometry
        Grid of n axes.

    Returns
    -------
    numpy.ndarray
        float64, (n + 1, n + 1), homogeneous: voxel centres to millimetres of LPS (or the unit of the
        axes); a time axis is scaled by its step, channels stay as they are. Where there is no axis z,
        the plane lies along its own axes at its origin.
    """
    ndim = len(geometry.axes)
    matrix = np.eye(ndim + 1)
    places = geometry.spatial_axes
    columns = [COLUMN[geometry.axes[place]] for place in places]
    rows = patient_rows(geometry)
    for n, (place, row) in enumerate(zip(places, rows, strict=True)):
        matrix[place, ndim] = geometry.affine[row, 3]
        if len(places) == len(SPACE):
            for other, column in zip(places, columns, strict=True):
                matrix[place, other] = geometry.affine[row, column]
        else:
            matrix[place, place] = spacing(geometry)[columns[n]]
    for place, axis in enumerate(geometry.axes):
        if axis == "t":
            matrix[place, place] = geometry.time_step
    return matrix


def straight_affine(geometry: Geometry) -> npt.NDArray[np.float64]:
    """The affine from array index to a world that lies along the axes of the image: no turn, no shear.

    Its origin is that along the axes of the image (see `along_axes`): images of the same directions stay aligned.
    """
    matrix = np.diag([*scales(geometry), 1.0])
    matrix[:-1, -1] = along_axes(geometry)
    return matrix


def patient_rows(geometry: Geometry) -> tuple[int, ...]:
    """For each space axis, in array order, the axis of LPS (0, 1, 2) that it lies closest to.

    All are different: the assignment whose cosines have the largest sum; of equal ones the first, which
    keeps x, y, z at L, P, S.
    """
    directions = np.abs(geometry.affine[:3, :3] / spacing(geometry))
    columns = [COLUMN[geometry.axes[place]] for place in geometry.spatial_axes]
    own = tuple(columns)
    choices = [own, *(c for c in itertools.permutations(range(3), len(columns)) if c != own)]
    sums = [sum(directions[row, column] for row, column in zip(c, columns, strict=True)) for c in choices]
    # Cosines that differ by rounding alone are equal.
    return next(c for c, total in zip(choices, sums, strict=True) if total > max(sums) - 1e-9)


def from_array_affine(
    shape: Sequence[int],
    matrix: npt.ArrayLike,
    axes: Sequence[str] = (),
    units: Sequence[str | None] = (),
) -> Geometry:
    """The grid of an array that lies in the world of `array_affine`, its axes taken as z, y, x of LPS.

    Parameters
    ----------
    shape
        Of the array, n axes.
    matrix
        (n + 1, n + 1), homogeneous: array index to world.
    axes, units
        As of `Geometry`, with the same defaults.

    Raises
    ------
    UsageError
        If the matrix turns space into time, or is singular.
    """
    names, array = tuple(axes) or default_axes(len(shape)), np.asarray(matrix, np.float64)
    places = [n for n, axis in enumerate(names) if axis in SPACE]
    rest = [n for n in range(len(names)) if n not in places]
    if array[np.ix_(rest, places)].any() or array[np.ix_(places, rest)].any():
        raise UsageError("the affine of the layer mixes space with time or channels: reset it")
    affine = np.eye(4)
    for row in places:
        affine[COLUMN[names[row]], 3] = array[row, -1]
        for column in places:
            affine[COLUMN[names[row]], COLUMN[names[column]]] = array[row, column]
    step = float(array[names.index("t"), names.index("t")]) if "t" in names else 1.0
    return Geometry(tuple(shape), affine, names, tuple(units), time_step=step)
