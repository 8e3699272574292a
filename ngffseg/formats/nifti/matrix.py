"""Which of the matrices of a NIfTI header places its voxels, and what to say where readers differ."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt

from ngffseg.errors import FormatError
from ngffseg.geometry import MILLIMETERS

Matrix = npt.NDArray[np.float64]
# Millimetres, and part of the largest coordinate, by which float32 and a quaternion differ anyway.
APART, ROUNDING = 1e-3, 1e-6
# xyzt_units: bits 0 to 2 are space, 3 to 5 time, the other two must be 0. 4 to 7 and 56 mean nothing.
SPACE_UNITS = {0: "millimeter", 1: "meter", 2: "millimeter", 3: "micrometer"}
TIME_UNITS = {0: None, 8: "second", 16: "millisecond", 24: "microsecond", 32: None, 40: None, 48: None}


def units_of(header: Any) -> tuple[str, str | None]:
    """Units of space and time; where there is none, or a code without meaning, space is in millimetres."""
    code = int(header["xyzt_units"])
    return SPACE_UNITS.get(code & 7, "millimeter"), TIME_UNITS.get(code & 56)


def affine_of(header: Any) -> Matrix:
    """Affine from the voxel index to RAS: that of the sform if its code is set, else of the qform.

    Where both codes are 0, it is the one of "METHOD 1", in LPS: voxel 0 at 0, axes as they are.

    Raises
    ------
    FormatError
        If no matrix whose code is set has an inverse.
    """
    coded = [kind for kind in ("sform", "qform") if header[f"{kind}_code"] > 0]
    if not coded:
        return _by_pixdim(header)
    usable = _usable(header)
    if not usable:
        raise FormatError(
            f"the {' and the '.join(coded)} of the NIfTI file are singular or not finite: give it a matrix that is neither"
        )
    return next(iter(usable.values()))


def old_affine_of(header: Any) -> Matrix:
    """The affine that nibabel takes, and ngffseg 0.1 took: where both codes are 0, it is centred at 0."""
    return np.asarray(header.get_best_affine(), np.float64)


def notes(header: Any) -> list[str]:
    """What somebody should know who reads the file, one line each."""
    found = []
    code = int(header["xyzt_units"])
    if code & ~63 or code & 7 not in SPACE_UNITS or code & 56 not in TIME_UNITS:
        found.append(
            f"xyzt_units {code} means nothing: the part that does is taken, space is in millimetres else"
        )
    coded = [kind for kind in ("sform", "qform") if header[f"{kind}_code"] > 0]
    usable = _usable(header)
    if not coded:
        found.append(
            "sform_code and qform_code are 0, so it lies in no patient: voxel 0 is put at 0 0 0, as ITK and FSL "
            "do (nibabel centres it and turns two axes)"
        )
    if len(coded) == 2 and len(usable) == 1:
        (taken,) = usable
        broken = next(kind for kind in coded if kind != taken)
        found.append(f"the matrix of the {broken} is singular or not finite: the {taken} is taken")
    if len(usable) == 2:
        distance = _distance(usable["sform"], usable["qform"], header)
        if distance:
            found.append(
                f"sform and qform place it up to {distance:.2g} mm apart: the sform is taken, as nibabel does; "
                "other readers take the qform"
            )
    return found


def _usable(header: Any) -> dict[str, Matrix]:
    """The matrices whose code is set and that have an inverse, that of the sform first."""
    found = {}
    for kind, get in (("sform", header.get_sform), ("qform", header.get_qform)):
        if header[f"{kind}_code"] <= 0:
            continue
        try:
            with np.errstate(all="ignore"):
                matrix = _with_normal(np.asarray(get(), np.float64), len(header.get_data_shape()))
        except (ValueError, ArithmeticError):
            continue  # a quaternion that is none
        if has_inverse(matrix):
            found[kind] = matrix
    return found


def _with_normal(matrix: Matrix, ndim: int) -> Matrix:
    """The matrix; the third axis of a plane, which may be empty, stands upright on it."""
    if ndim == 2 and not matrix[:3, 2].any():
        normal = np.cross(matrix[:3, 0], matrix[:3, 1])
        length = np.linalg.norm(normal)
        matrix[:3, 2] = normal / length if length else normal
    return matrix


def has_inverse(matrix: Matrix) -> bool:
    """Return True if a matrix is finite and gives voxels a volume."""
    if not np.isfinite(matrix).all():
        return False
    lengths = np.linalg.norm(matrix[:3, :3], axis=0)
    return bool(lengths.all()) and abs(float(np.linalg.det(matrix[:3, :3] / lengths))) >= 1e-6


def _by_pixdim(header: Any) -> Matrix:
    # nifti1.h, METHOD 1: "x = pixdim[1] * i, y = pixdim[2] * j, z = pixdim[3] * k".
    # ITK takes x, y and z for LPS, as they are; so two signs are turned here for RAS.
    ndim = len(header.get_data_shape())
    steps = [float(step) if axis < ndim else 1.0 for axis, step in enumerate(header["pixdim"][1:4])]
    return np.diag([-steps[0], -steps[1], steps[2], 1.0])


def _distance(first: Matrix, second: Matrix, header: Any) -> float:
    """By how many millimetres two matrices differ at the corners; 0 where that is rounding."""
    sizes = [*header.get_data_shape()[:3], 1, 1, 1][:3]
    corners = np.array([[*corner, 1] for corner in itertools.product(*((0, n - 1) for n in sizes))])
    places = corners @ first[:3].T
    apart = float(np.linalg.norm(places - corners @ second[:3].T, axis=1).max())
    length = MILLIMETERS[units_of(header)[0]]
    return (
        apart * length if apart * length > APART and apart > ROUNDING * float(np.abs(places).max()) else 0.0
    )
