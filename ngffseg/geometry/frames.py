"""Geometry in the words of NRRD, NIfTI and DICOM, both ways.

RAS and LPS differ in the signs of the first two rows. Signs are flipped, not multiplied with a
matrix, so that a round trip keeps every bit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ngffseg.errors import FormatError
from ngffseg.geometry.grid import Frame

Matrix = npt.NDArray[np.float64]

# Signs that take a NRRD space (https://teem.sourceforge.net/nrrd/format.html#space) to LPS.
NRRD_PATIENT = {
    "left-posterior-superior": (1, 1, 1),
    "lps": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1),
    "ras": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1),
    "las": (1, -1, 1),
}
# Spaces that are not the patient's: their numbers stay as they are, as ITK takes them.
NRRD_SIGNS = NRRD_PATIENT | dict.fromkeys(("scanner-xyz", "3d-right-handed", "3d-left-handed"), (1, 1, 1))


def _signs(space: str) -> tuple[int, int, int]:
    signs = NRRD_SIGNS.get(space.lower() or "lps")
    if signs is None:
        raise FormatError(f"NRRD space {space!r} is not known here: use one of {', '.join(NRRD_SIGNS)}")
    return signs


def nrrd_frame(space: str) -> Frame | None:
    """Return "patient" if a NRRD space is the patient's; `None` for a scanner, other spaces and no name."""
    return "patient" if space.lower() in NRRD_PATIENT else None


def _flip_rows(affine: npt.ArrayLike, signs: Sequence[int]) -> Matrix:
    flipped = np.array(affine, dtype=np.float64)
    for row, sign in enumerate(signs):
        if sign < 0:
            flipped[row] = -flipped[row]
    return flipped


def from_nrrd(space: str, directions: npt.ArrayLike, origin: npt.ArrayLike) -> Matrix:
    """Affine to LPS of a NRRD header.

    Parameters
    ----------
    space
        The field ``space``; empty where the file only has ``space dimension``, which is read as
        LPS, as ITK does.
    directions
        3x3, one row per axis of the file (i, j, k), in the unit of the file: ``space directions``.
    origin
        Centre of the first voxel: ``space origin``.

    Raises
    ------
    FormatError
        If the space has another name than LPS, RAS, LAS and the three that name no patient.
    """
    signs = _signs(space)
    affine = np.eye(4)
    affine[:3, :3] = np.asarray(directions, dtype=np.float64).T
    affine[:3, 3] = np.asarray(origin, dtype=np.float64)
    return _flip_rows(affine, signs)


def to_nrrd(affine: Matrix, space: str) -> tuple[Matrix, Matrix]:
    """``space directions`` (3x3, rows i, j, k) and ``space origin`` (3) in a NRRD space."""
    flipped = _flip_rows(affine, _signs(space))
    return flipped[:3, :3].T, flipped[:3, 3]


def from_nifti(affine: npt.ArrayLike) -> Matrix:
    """Affine to LPS of a NIfTI affine, which maps the voxel index to RAS (nifti1.h)."""
    return _flip_rows(affine, (-1, -1, 1))


def to_nifti(affine: Matrix) -> Matrix:
    """NIfTI affine (voxel index to RAS) of an affine to LPS."""
    return _flip_rows(affine, (-1, -1, 1))


def from_dicom(
    orientation: Sequence[float],
    pixel_spacing: Sequence[float],
    first: Sequence[float],
    second: Sequence[float],
) -> Matrix:
    """Affine to LPS of equidistant DICOM planes (PS3.3 C.7.6.2.1.1).

    Parameters
    ----------
    orientation
        ImageOrientationPatient: direction along a row (i grows), then along a column (j grows).
    pixel_spacing
        PixelSpacing: distance of rows (along j), then of columns (along i), in millimetres.
    first, second
        ImagePositionPatient of planes 0 and 1. The distance of the planes comes from them, never
        from SliceThickness, which real files have wrong.
    """
    affine = np.eye(4)
    affine[:3, 0] = np.asarray(orientation[:3], dtype=np.float64) * float(pixel_spacing[1])
    affine[:3, 1] = np.asarray(orientation[3:], dtype=np.float64) * float(pixel_spacing[0])
    affine[:3, 2] = np.subtract(second, first, dtype=np.float64)
    affine[:3, 3] = np.asarray(first, dtype=np.float64)
    return affine
