"""`Geometry`: the grid of voxels and where it lies in the patient."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ngffseg.errors import UsageError

AXES = ("t", "c", "z", "y", "x")
SPACE = ("z", "y", "x")
Frame = Literal["patient"]


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """A grid of voxels and where it lies: plain values, no voxels.

    Parameters
    ----------
    shape
        Number of voxels per axis, in array order (a subset of t, c, z, y, x in that order).
    affine
        4x4 float64: maps the voxel index (i, j, k, 1), with i along x, j along y and k along z,
        to the centre of the voxel, in the unit of the space axes (40 nm are 40, where that is nanometer).
        Where the frame is "patient", it leads to LPS (x to the left, y to posterior, z to superior).
        An image without a z axis has k = 0.
    axes
        Names of the axes in array order; by default the last ``len(shape)`` of t, c, z, y, x.
    units
        UDUNITS-2 name or None per axis; by default millimeter for space axes, None for others.
    frame
        "patient" if the affine leads to the patient; None where nobody has said so (slides, microscopes).
    frame_of_reference_uid
        DICOM FrameOfReferenceUID (PS3.3 C.7.4.1), empty if unknown.
    time_step
        Distance of two time points in the unit of the axis t.

    Raises
    ------
    UsageError
        If the parts contradict each other, or the affine is singular or not finite.
    """

    shape: tuple[int, ...]
    affine: npt.NDArray[np.float64]
    axes: tuple[str, ...] = ()
    units: tuple[str | None, ...] = ()
    frame: Frame | None = None
    frame_of_reference_uid: str = ""
    time_step: float = 1.0

    def __post_init__(self) -> None:
        try:
            shape = tuple(operator.index(n) for n in self.shape)
        except TypeError:
            raise UsageError(f"geometry: shape {self.shape} must be integers") from None
        affine = np.array(self.affine, dtype=np.float64)
        affine.setflags(write=False)
        axes = tuple(self.axes) or default_axes(len(shape))
        units = tuple(self.units) or tuple("millimeter" if a in SPACE else None for a in axes)
        for name, value in (("shape", shape), ("affine", affine), ("axes", axes), ("units", units)):
            object.__setattr__(self, name, value)
        _validate(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Geometry) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __reduce__(self) -> tuple[Any, ...]:
        # An array comes out of a pickle writable; made anew, the affine is frozen on a worker, too.
        rest = self.frame, self.frame_of_reference_uid, self.time_step
        return Geometry, (self.shape, self.affine, self.axes, self.units, *rest)

    def _key(self) -> tuple[Any, ...]:
        # Adding 0.0 makes -0.0 equal to 0.0, as numbers are; every other bit counts.
        bits = (self.affine + 0.0).tobytes()
        rest = self.frame, self.frame_of_reference_uid, self.time_step
        return self.shape, bits, self.axes, self.units, *rest

    @property
    def spatial_axes(self) -> tuple[int, ...]:
        """Positions of the space axes among the axes, in array order."""
        return tuple(n for n, a in enumerate(self.axes) if a in SPACE)


def default_axes(ndim: int) -> tuple[str, ...]:
    """Axes of an array about which nothing is known: the last of t, c, z, y, x."""
    if not 2 <= ndim <= 5:
        raise UsageError(f"labels have {ndim} axes: give 2 to 5 of them (t, c, z, y, x)")
    return {2: AXES[3:], 3: AXES[2:], 4: ("t", *AXES[2:]), 5: AXES}[ndim]


def identity(shape: Sequence[int], axes: Sequence[str] = ()) -> Geometry:
    """Geometry of an array about which nothing is known: unit voxels without a unit, at zero."""
    names = tuple(axes) or default_axes(len(shape))
    return Geometry(tuple(shape), np.eye(4), names, tuple(None for _ in names))


def _validate(geometry: Geometry) -> None:
    shape, axes = geometry.shape, geometry.axes
    if len(axes) != len(shape) or len(geometry.units) != len(shape):
        raise UsageError(
            f"geometry: {len(shape)} sizes, {len(axes)} axes and {len(geometry.units)} units differ in number"
        )
    order = [AXES.index(a) for a in axes if a in AXES]
    if len(order) != len(axes) or order != sorted(set(order)):
        raise UsageError(f"geometry: axes {axes} are not a subset of {AXES} in that order")
    if len(geometry.spatial_axes) < 2:
        raise UsageError(f"geometry: axes {axes} hold fewer than two space axes")
    if any(n < 1 for n in shape):
        raise UsageError(f"geometry: shape {shape} is empty")
    if geometry.frame not in ("patient", None):
        raise UsageError(f"geometry: frame {geometry.frame!r} is not known: give 'patient' or None")
    affine = geometry.affine
    if affine.shape != (4, 4) or not np.isfinite(affine).all() or affine[3].tolist() != [0, 0, 0, 1]:
        raise UsageError("geometry: the affine must be a finite 4x4 matrix whose last row is 0 0 0 1")
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    if not (lengths > 0).all() or abs(np.linalg.det(affine[:3, :3] / lengths)) < 1e-6:
        raise UsageError("geometry: the affine is singular, so voxels have no volume")
