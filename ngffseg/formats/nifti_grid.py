"""Axes and geometry of a NIfTI image, both ways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ngffseg.errors import FormatError
from ngffseg.geometry import Frame, Geometry, from_nifti, to_nifti
from ngffseg.model import Loss

# File axes are i, j, k, t, u; reversed they are u, t, z, y, x.
AXES = {2: ("y", "x"), 3: ("z", "y", "x"), 4: ("t", "z", "y", "x"), 5: ("t", "c", "z", "y", "x")}
SPACE_UNITS = {"unknown": "millimeter", "meter": "meter", "mm": "millimeter", "micron": "micrometer"}
TIME_UNITS = {"sec": "second", "msec": "millisecond", "usec": "microsecond"}


def array_order(voxels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Voxels of a file in the order t, c, z, y, x, contiguous."""
    reversed_axes = voxels.T
    return np.ascontiguousarray(reversed_axes.swapaxes(0, 1) if voxels.ndim == 5 else reversed_axes)


def file_order(labels: npt.NDArray[Any], axes: Sequence[str]) -> npt.NDArray[Any]:
    """Labels in the axes of a file: channels are its fifth axis, time its fourth."""
    if "c" in axes and "t" not in axes:
        labels = labels[np.newaxis]
    return (labels.swapaxes(0, 1) if "c" in axes else labels).T


def geometry_of(header: Any) -> Geometry:
    """Grid of a NIfTI header: of its sform if that is set, else of its qform, else of its pixdim.

    Raises
    ------
    FormatError
        If it has fewer than two or more than five axes.
    """
    sizes = tuple(int(n) for n in header.get_data_shape())
    ndim = len(sizes)
    if ndim not in AXES:
        raise FormatError(f"the NIfTI file has {ndim} axes: 2 to 5 can be read")
    space, time = header.get_xyzt_units()
    axes = AXES[ndim]
    units = tuple(
        TIME_UNITS.get(time)
        if axis == "t"
        else (None if axis == "c" else SPACE_UNITS.get(space, "millimeter"))
        for axis in axes
    )
    shape = sizes[::-1] if ndim < 5 else (sizes[3], sizes[4], *sizes[2::-1])
    step = float(header["pixdim"][4]) if "t" in axes and header["pixdim"][4] > 0 else 1.0
    frame: Frame | None = "patient" if header["sform_code"] > 0 or header["qform_code"] > 0 else None
    return Geometry(shape, from_nifti(header.get_best_affine()), axes, units, frame, time_step=step)


def place(header: Any, geometry: Geometry) -> list[Loss]:
    """Write the grid into a new header: as sform, and as qform where that can hold it.

    Returns what float32, in which NIfTI stores matrices, had to round.
    """
    affine = to_nifti(geometry.affine)
    header.set_sform(affine, code=1)
    unit = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    if np.allclose(unit.T @ unit, np.eye(3), rtol=0, atol=1e-6):
        header.set_qform(affine, code=1)
    names = {v: k for k, v in SPACE_UNITS.items()} | {v: k for k, v in TIME_UNITS.items()}
    space = next((u for u, a in zip(geometry.units, geometry.axes, strict=True) if a == "x"), None)
    time = next((u for u, a in zip(geometry.units, geometry.axes, strict=True) if a == "t"), None)
    header.set_xyzt_units(names.get(space or "", "unknown"), names.get(time or "", "unknown"))
    if "t" in geometry.axes:
        header["pixdim"][4] = geometry.time_step
    corner = np.array([*(n - 1 for n in geometry.shape[-3:][::-1]), *(0,) * 3])[:3]
    exact = affine[:3, :3] @ corner + affine[:3, 3]
    stored = header.get_sform()
    error = float(np.abs(stored[:3, :3] @ corner + stored[:3, 3] - exact).max())
    if np.array_equal(stored, affine):
        return []
    return [Loss("geometry", f"NIfTI stores it in float32: positions move by up to {error:.2g} mm")]
