"""Axes and geometry of a NIfTI image, both ways."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ngffseg.errors import FormatError
from ngffseg.formats.nifti.matrix import affine_of, has_inverse, old_affine_of, units_of
from ngffseg.formats.sayable import SHEAR, in_known_unit
from ngffseg.geometry import MILLIMETERS, SECONDS, Frame, Geometry, converted, from_nifti, shear, to_nifti
from ngffseg.model import Loss

# File axes are i, j, k, t, u; reversed they are u, t, z, y, x.
ORDER = ("x", "y", "z", "t", "c")
AXES = {2: ("y", "x"), 3: ("z", "y", "x"), 4: ("t", "z", "y", "x"), 5: ("t", "c", "z", "y", "x")}
SPACE_WORDS = {"meter": "meter", "millimeter": "mm", "micrometer": "micron"}
TIME_WORDS = {"second": "sec", "millisecond": "msec", "microsecond": "usec"}
# nifti1.h: "Scanner-based anatomical coordinates", and "Coordinates aligned to another file's, or to anatomical truth".
SCANNER, ALIGNED = 1, 2
# A qform holds directions at right angles only; a sform says more.
RIGHT = 1e-6


def array_order(voxels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Voxels of a file in the order t, c, z, y, x, contiguous."""
    reversed_axes = voxels.T
    return np.ascontiguousarray(reversed_axes.swapaxes(0, 1) if voxels.ndim == 5 else reversed_axes)


def file_order(labels: npt.NDArray[Any], axes: Sequence[str]) -> npt.NDArray[Any]:
    """Labels in the axes of a file: x, y, z, time, channels; those that they lack before the last one are one long."""
    sizes = dict(zip(axes, labels.shape, strict=True))
    last = max(ORDER.index(axis) for axis in axes)
    labels = labels.reshape([sizes.get(axis, 1) for axis in AXES[5] if axis in ORDER[: last + 1]])
    return (labels.swapaxes(0, 1) if "c" in axes else labels).T


def geometry_of(header: Any) -> Geometry:
    """Grid of a NIfTI header: see `ngffseg.formats.nifti.matrix.affine_of`.

    Raises
    ------
    FormatError
        If it has fewer than two or more than five axes, or no matrix that places it.
    """
    sizes = tuple(int(n) for n in header.get_data_shape())
    ndim = len(sizes)
    if ndim not in AXES:
        raise FormatError(f"the NIfTI file has {ndim} axes: 2 to 5 can be read")
    space, time = units_of(header)
    axes = AXES[ndim]
    units = tuple(time if axis == "t" else (None if axis == "c" else space) for axis in axes)
    shape = sizes[::-1] if ndim < 5 else (sizes[3], sizes[4], *sizes[2::-1])
    step = float(header["pixdim"][4]) if "t" in axes and header["pixdim"][4] > 0 else 1.0
    frame: Frame | None = "patient" if header["sform_code"] > 0 or header["qform_code"] > 0 else None
    return Geometry(shape, from_nifti(affine_of(header)), axes, units, frame, time_step=step)


def says(header: Any, geometry: Geometry) -> bool:
    """Return True if a header places its voxels on this grid, also as ngffseg 0.1 read it."""
    here = geometry_of(header)
    if here == geometry:
        return True
    # 0.1 placed what has no code as nibabel does, and took all that is in millimetres for the patient's.
    old = replace(here, affine=from_nifti(old_affine_of(header)), frame=geometry.frame)
    return here.frame is None and old == geometry


def place(header: Any, geometry: Geometry) -> list[Loss]:
    """Write the grid into a new header: as sform, and as qform where that can hold it.

    Returns what NIfTI has no word for, and what float32, in which it stores matrices, had to round.

    Raises
    ------
    FormatError
        If the space axes have different units and are turned, or float32 cannot hold the numbers.
    """
    known, losses = in_known_unit(geometry, SPACE_WORDS)
    code = SCANNER if geometry.frame == "patient" else ALIGNED
    if code == ALIGNED:
        what = f"it lies in no patient, which NIfTI cannot say and keep its place: the codes are {ALIGNED} (aligned)"
        losses.append(Loss("geometry", what))
    affine = to_nifti(known.affine)
    with np.errstate(over="ignore", under="ignore"):
        header.set_sform(affine, code=code)
        header["pixdim"][1:4] = np.linalg.norm(affine[:3, :3], axis=0)
    if not has_inverse(np.asarray(header.get_sform(), np.float64)):
        raise FormatError(
            "NIfTI stores the grid in float32, which cannot hold numbers of this size: use .nrrd"
        )
    angle = shear(known)
    if angle <= RIGHT:
        header.set_qform(affine, code=code)
    if angle > SHEAR:
        what = f"its axes are not at right angles (cosine {angle:.2g}): only the sform holds them, ITK refuses the file"
        losses.append(Loss("geometry", what))
    _, space = _unit_of_axis(known, "x")
    time = _place_time(header, known, losses)
    header.set_xyzt_units(SPACE_WORDS.get(space or "", "unknown"), TIME_WORDS.get(time or "", "unknown"))
    error = _rounding(affine, header.get_sform(), known) * MILLIMETERS.get(space or "", 1.0)
    if error or not np.array_equal(header.get_sform(), affine):
        losses.append(Loss("geometry", f"NIfTI stores it in float32: positions move by up to {error:.2g} mm"))
    return losses


def _place_time(header: Any, geometry: Geometry, losses: list[Loss]) -> str | None:
    """Write the step of time, in seconds where NIfTI does not know its unit; return the unit."""
    there, unit = _unit_of_axis(geometry, "t")
    if not there:
        return None
    step = geometry.time_step
    if unit is not None and unit not in TIME_WORDS:
        if unit in SECONDS:
            step, unit = converted(step, SECONDS, unit, "second"), "second"
        else:
            losses.append(Loss("geometry", f"unit {unit} of time: NIfTI has no word for it"))
    header["pixdim"][4] = step
    if float(header["pixdim"][4]) != step:
        losses.append(Loss("geometry", f"NIfTI stores the step of time {step!r} in float32"))
    return unit


def _unit_of_axis(geometry: Geometry, axis: str) -> tuple[bool, str | None]:
    there = axis in geometry.axes
    return there, geometry.units[geometry.axes.index(axis)] if there else None


def _rounding(affine: npt.NDArray[Any], stored: npt.NDArray[Any], geometry: Geometry) -> float:
    """By how much the corners of a grid move when its matrix is stored, in its unit."""
    sizes = dict(zip(geometry.axes, geometry.shape, strict=True))
    corners = itertools.product(*((0, sizes.get(axis, 1) - 1) for axis in ("x", "y", "z")))
    return max(float(np.abs((stored - affine)[:3] @ [*corner, 1]).max()) for corner in corners)
