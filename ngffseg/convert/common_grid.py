"""One grid for the files of a study: that of the first one, made larger where others reach beyond it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ngffseg.errors import Hint, UsageError
from ngffseg.geometry import SPACE, TOLERANCE, Geometry, index_map, match
from ngffseg.labels import Nearest
from ngffseg.model import Segmentation

Layer = npt.NDArray[np.uint16]
# Voxels of a grid that holds the boxes of all files; one file may have more.
MOST_VOXELS = 2**31
# Voxels by which places differ when they are computed, and not stored, in another order.
ROUNDING = 1e-9
AXES = ("x", "y", "z")


@dataclass(slots=True)
class CommonGrid:
    """Layers on the grid of a first file, which grows by whole voxels.

    Parameters
    ----------
    file
        The first file.
    geometry
        Its grid, which gives the order of the axes.
    resample
        True if voxels of other grids are to be taken by the nearest one.
    """

    file: Path
    geometry: Geometry
    resample: bool = False
    layers: list[Layer] = field(default_factory=list)
    # Box of all files in indices of the first one.
    start: list[int] = field(default_factory=list)
    stop: list[int] = field(default_factory=list)
    error: float = 0.0
    turned: int = 0
    moved: int = 0
    resampled: int = 0

    def __post_init__(self) -> None:
        self.start, self.stop = [0] * len(self.geometry.shape), list(self.geometry.shape)

    def place(self, file: Path, read: Segmentation) -> tuple[tuple[npt.NDArray[Any], ...], tuple[slice, ...]]:
        """The layers of a file in the order of the first one, and the box of the grid in which they lie.

        Raises
        ------
        UsageError
            If flips, permutations and whole voxels do not lead from one grid to the other, and nobody asked to
            resample it.
        """
        arrays = tuple(np.asarray(layer[...]) for layer in read.layers)
        offset: Sequence[int] = [0] * len(self.start)
        if read.geometry != self.geometry:
            reason = _other_world(read.geometry, self.geometry)
            found = match(read.geometry, self.geometry) if reason is None else None
            if found is not None and not found.is_exact and self.resample:
                offset, target = self._nearest_box(read.geometry)
                arrays = tuple(Nearest(array, read.geometry, target)[...] for array in arrays)
                self.resampled += 1
            elif found is None or not found.is_exact:
                reason = (
                    reason or f"its voxels lie up to {found.error if found else 0:.2g} voxels beside those"
                )
                hint = Hint("resample")
                raise UsageError(
                    f"{file} does not lie on the grid of {self.file}: {reason}: resample one of them first"
                    + (f" ({hint})" if found is not None else ""),
                    hints=[hint],
                )
            else:
                arrays, offset = tuple(found.order.apply(array) for array in arrays), found.offset
                self.error = max(self.error, found.error)
                self.turned += not found.order.is_identity
                self.moved += any(offset) or arrays[0].shape != self.geometry.shape
        self._grow(file, offset, [a + n for a, n in zip(offset, arrays[0].shape, strict=True)])
        starts = [a - first for a, first in zip(offset, self.start, strict=True)]
        return arrays, tuple(slice(a, a + n) for a, n in zip(starts, arrays[0].shape, strict=True))

    def _nearest_box(self, grid: Geometry) -> tuple[list[int], Geometry]:
        """Voxels of the first file's grid whose nearest voxel is one of another grid: offset, and their grid."""
        turn, axes = index_map(grid, self.geometry), self.geometry.axes
        sizes = dict(zip(grid.axes, grid.shape, strict=True))
        corners = itertools.product(*((-0.5, sizes.get(axis, 1) - 0.5) for axis in AXES))
        places = np.array([(turn @ [*corner, 1])[:3] for corner in corners])
        low, high = np.ceil(places.min(axis=0) - TOLERANCE), np.floor(places.max(axis=0) + TOLERANCE) + 1
        space = [axis in SPACE for axis in axes]
        start = [int(low[AXES.index(a)]) if s else 0 for a, s in zip(axes, space, strict=True)]
        stop = [
            max(int(high[AXES.index(a)]), first + 1) if s else n
            for a, s, n, first in zip(axes, space, grid.shape, start, strict=True)
        ]
        return start, self._part(start, stop)

    def _grow(self, file: Path, start: Sequence[int], stop: Sequence[int]) -> None:
        """Make room for a box."""
        low = [min(a, b) for a, b in zip(self.start, start, strict=True)]
        high = [max(a, b) for a, b in zip(self.stop, stop, strict=True)]
        if (low, high) == (self.start, self.stop):
            return
        shape = tuple(b - a for a, b in zip(low, high, strict=True))
        if math.prod(shape) > MOST_VOXELS:
            raise UsageError(
                f"{file} lies far from {self.file}: one grid for both would have {shape} voxels: import it by itself"
            )
        widths = [(a - b, d - c) for a, b, c, d in zip(self.start, low, self.stop, high, strict=True)]
        self.layers = [np.pad(layer, widths) for layer in self.layers]
        self.start, self.stop = low, high

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the grid that holds all boxes."""
        return tuple(b - a for a, b in zip(self.start, self.stop, strict=True))

    def whole(self) -> Geometry:
        """The grid that holds all boxes."""
        return self._part(self.start, self.stop)

    def _part(self, start: Sequence[int], stop: Sequence[int]) -> Geometry:
        """The grid of a box, which may reach beyond that of the first file."""
        by_axis = dict(zip(self.geometry.axes, start, strict=True))
        first = [by_axis.get(axis, 0) for axis in AXES]
        affine = self.geometry.affine.copy()
        if any(first):
            affine[:3, 3] += affine[:3, :3] @ first
        shape = tuple(b - a for a, b in zip(start, stop, strict=True))
        return replace(self.geometry, shape=shape, affine=affine)

    def notes(self, count: int) -> list[str]:
        """What was done so that all files have one grid."""
        done = []
        if self.turned:
            done.append(f"{self.turned} with flipped or swapped axes")
        if self.moved:
            done.append(f"{self.moved} in a box of its own")
        if self.resampled:
            done.append(f"of {self.resampled} on another grid the nearest voxels were taken")
        if self.error > ROUNDING:
            done.append(f"the largest difference is {self.error:.2g} voxels")
        return [f"{count} files on one grid, that of {self.file.name}: {', '.join(done)}"] if done else []


def _other_world(geometry: Geometry, first: Geometry) -> str | None:
    """Why two grids cannot be compared; `None` if they can."""
    if geometry.axes != first.axes:
        return f"it has the axes {', '.join(geometry.axes)}, not {', '.join(first.axes)}"
    if _beside_space(geometry) != _beside_space(first):
        return "it has other time points or channels"
    if geometry.frame != first.frame:
        return "one of them lies in a patient, the other one does not say so"
    if geometry.frame_of_reference_uid != first.frame_of_reference_uid:
        return "they have different frames of reference"
    return None


def _beside_space(geometry: Geometry) -> tuple[list[Any], float]:
    """Sizes and units of the axes of time and channels, and the step of time."""
    rows = zip(geometry.axes, geometry.shape, geometry.units, strict=True)
    return [(size, unit) for axis, size, unit in rows if axis not in SPACE], geometry.time_step
