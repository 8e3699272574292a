"""Spacing of a grid, and the grids of the coarser levels of its pyramid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ngffseg.geometry.grid import SPACE, Geometry

# Column of the affine that belongs to each space axis.
COLUMN = {"x": 0, "y": 1, "z": 2}
# Units of length of OME-Zarr, in UDUNITS-2 names.
MILLIMETERS = {
    "yoctometer": 1e-21,
    "zeptometer": 1e-18,
    "attometer": 1e-15,
    "femtometer": 1e-12,
    "picometer": 1e-9,
    "angstrom": 1e-7,
    "nanometer": 1e-6,
    "micrometer": 1e-3,
    "millimeter": 1.0,
    "centimeter": 10.0,
    "inch": 25.4,
    "decimeter": 100.0,
    "foot": 304.8,
    "yard": 914.4,
    "meter": 1e3,
    "decameter": 1e4,
    "hectometer": 1e5,
    "kilometer": 1e6,
    "mile": 1609344.0,
    "megameter": 1e9,
    "gigameter": 1e12,
    "terameter": 1e15,
    "petameter": 1e18,
    "parsec": 3.0856775814913673e19,
    "exameter": 1e21,
    "zettameter": 1e24,
    "yottameter": 1e27,
}


def spacing(geometry: Geometry) -> npt.NDArray[np.float64]:
    """Distances of neighbouring voxel centres along i, j and k (x, y, z), in the unit of the space axes."""
    return np.asarray(np.linalg.norm(geometry.affine[:3, :3], axis=0), dtype=np.float64)


def millimetres(geometry: Geometry) -> float:
    """Millimetres in the unit of the space axes; 1 where they have none, or several."""
    units = {geometry.units[place] for place in geometry.spatial_axes}
    return MILLIMETERS.get(units.pop() or "", 1.0) if len(units) == 1 else 1.0


def shear(geometry: Geometry) -> float:
    """The largest cosine of the angle between two space axes: 0 where all angles are right."""
    columns = [COLUMN[geometry.axes[place]] for place in geometry.spatial_axes]
    directions = (geometry.affine[:3, :3] / spacing(geometry))[:, columns]
    return float(np.abs(directions.T @ directions - np.eye(len(columns))).max())


def voxel_volume(geometry: Geometry) -> float | None:
    """Volume of a voxel in mm^3; None where a space axis has no unit of length.

    Where there is no axis z, it is the area of a pixel, in mm^2.
    """
    volume = float(abs(np.linalg.det(geometry.affine[:3, :3])))
    for axis in geometry.spatial_axes:
        length = MILLIMETERS.get(geometry.units[axis] or "")
        if length is None:
            return None
        volume *= length
    return volume


def scales(geometry: Geometry) -> tuple[float, ...]:
    """Distances of neighbouring voxel centres per axis, in array order (channels: 1)."""
    steps = spacing(geometry)
    return tuple(
        float(steps[COLUMN[a]]) if a in SPACE else (geometry.time_step if a == "t" else 1.0)
        for a in geometry.axes
    )


def downsampled(geometry: Geometry, factors: Sequence[int], *, binning: bool = True) -> Geometry:
    """Grid of the level that has one voxel for each window of ``factors`` voxels.

    Parameters
    ----------
    geometry
        Grid of the finer level.
    factors
        Size of the window per axis, in array order; 1 on axes that are not space.
    binning
        True where an output voxel stands for its whole window (mode): its centre is the centre
        of the window, half a window less half a voxel further on. False where it is the first
        voxel of the window (nearest): its centre is that voxel's.

    Returns
    -------
    Geometry
        Shape ceil(n / factor); a window at the edge keeps the size of all others.
    """
    affine = geometry.affine.copy()
    for axis, factor in zip(geometry.axes, factors, strict=True):
        if axis in SPACE and factor != 1:
            column = geometry.affine[:3, COLUMN[axis]]
            if binning:
                affine[:3, 3] += column * ((factor - 1) / 2)
            affine[:3, COLUMN[axis]] = column * factor
    shape = tuple(-(-n // f) for n, f in zip(geometry.shape, factors, strict=True))
    return replace(geometry, shape=shape, affine=affine)
