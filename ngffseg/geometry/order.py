"""`Order`: exact flips and permutations of space axes, the canonical one, and the one by which two grids are one."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ngffseg.geometry.grid import SPACE, Geometry
from ngffseg.geometry.resolution import COLUMN, millimetres, spacing

# Another permutation than none has to gain more in the sum of cosines: at 45 degrees rounding must not decide.
GAIN = 1e-3
# Voxels that lie so close to those of another grid, in voxels, are taken for them: files round.
TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True)
class Order:
    """Which axis of a source array each axis of another one is, and whether its indices count down.

    Parameters
    ----------
    axes
        For each axis of the other array, the axis of the source. Those that are not space stay.
    flipped
        For each axis of the other array, True if its first index is the last one of the source.
    """

    axes: tuple[int, ...]
    flipped: tuple[bool, ...]

    @property
    def is_identity(self) -> bool:
        """True if nothing moves."""
        return self.axes == tuple(range(len(self.axes))) and not any(self.flipped)

    @property
    def inverse(self) -> Order:
        """The order that leads back."""
        places = tuple(self.axes.index(axis) for axis in range(len(self.axes)))
        return Order(places, tuple(self.flipped[place] for place in places))

    def then(self, following: Order) -> Order:
        """Both orders in one: this one first, the following one of what it has led to."""
        axes = tuple(self.axes[axis] for axis in following.axes)
        turned = tuple(
            self.flipped[axis] != flip for axis, flip in zip(following.axes, following.flipped, strict=True)
        )
        return Order(axes, turned)

    def on_axes(self, places: Sequence[int]) -> Order | None:
        """The order of an array that has only the axes at these places; None where one that it lacks has moved."""
        if {self.axes[place] for place in places} != set(places):
            return None
        axes = tuple(places.index(self.axes[place]) for place in places)
        return Order(axes, tuple(self.flipped[place] for place in places))

    def apply(self, array: Any) -> Any:
        """The array in this order: a view of a numpy array, a lazy array of a dask one; no value changes."""
        steps = tuple(slice(None, None, -1 if flip else 1) for flip in self.flipped)
        return array.transpose(self.axes)[steps]

    def shape(self, source: Sequence[int]) -> tuple[int, ...]:
        """The shape of an array of this shape in this order."""
        return tuple(source[axis] for axis in self.axes)

    def box(self, source: Sequence[slice], shape: Sequence[int]) -> tuple[slice, ...]:
        """Where a box (start and stop per axis, half-open) of a source of this shape lies in this order."""
        moved = []
        for axis, flip in zip(self.axes, self.flipped, strict=True):
            start, stop = source[axis].start, source[axis].stop
            moved.append(slice(shape[axis] - stop, shape[axis] - start) if flip else slice(start, stop))
        return tuple(moved)


def identity_order(ndim: int) -> Order:
    """The order in which nothing moves."""
    return Order(tuple(range(ndim)), (False,) * ndim)


def canonical_order(geometry: Geometry) -> Order:
    """The order in which z leads to superior, y to posterior and x to the left, as closely as flips can.

    Nothing moves where the frame is not that of the patient, or there are fewer than three space axes.
    """
    ndim = len(geometry.axes)
    if geometry.frame != "patient" or len(geometry.spatial_axes) < len(SPACE):
        return identity_order(ndim)
    directions = geometry.affine[:3, :3] / spacing(geometry)
    sums = {
        columns: sum(abs(directions[row, column]) for row, column in enumerate(columns))
        for columns in itertools.permutations(range(3))
    }
    best = max(sums, key=lambda each: sums[each])
    columns = best if sums[best] > sums[(0, 1, 2)] + GAIN else (0, 1, 2)
    down = [bool(directions[row, column] < 0) for row, column in enumerate(columns)]
    return _of_columns(geometry, columns, down)


def reordered(geometry: Geometry, order: Order) -> Geometry:
    """The grid of an array in another order: each voxel lies where it did.

    The origin of flipped axes is computed anew, so its last bit may change there and back.
    """
    affine = geometry.affine.copy()
    shape, units = order.shape(geometry.shape), tuple(geometry.units[axis] for axis in order.axes)
    for place, (source, flip) in enumerate(zip(order.axes, order.flipped, strict=True)):
        if geometry.axes[place] not in SPACE:
            continue
        column = geometry.affine[:3, COLUMN[geometry.axes[source]]]
        affine[:3, COLUMN[geometry.axes[place]]] = -column if flip else column
        if flip:
            affine[:3, 3] += column * (shape[place] - 1)
    return replace(geometry, shape=shape, affine=affine, units=units)


@dataclass(frozen=True, slots=True)
class Match:
    """How a grid lies on another one.

    Parameters
    ----------
    order
        The order in which the axes of the grid are those of the other.
    offset
        Index in the other grid of voxel 0 of the grid in that order, per axis in array order (0 where it is
        not space).
    error
        By how much a voxel of the grid lies beside one of the other at most, in voxels of the other.
    """

    order: Order
    offset: tuple[int, ...]
    error: float

    @property
    def is_exact(self) -> bool:
        """True if all voxels of the grid are voxels of the other one."""
        return self.error <= TOLERANCE


def match(grid: Geometry, other: Geometry) -> Match:
    """Find the flips, the permutation and the whole offset by which a grid lies closest to another one.

    Both have the same axes. Lengths are compared in millimetres where both have units of length.
    """
    turn = index_map(grid, other)
    present = [COLUMN[axis] for axis in grid.axes if axis in SPACE]
    closest = max(
        itertools.permutations(present),
        key=lambda each: sum(abs(turn[row, column]) for row, column in zip(present, each, strict=True)),
    )
    columns, down = [0, 1, 2], [False] * 3
    for row, column in zip(present, closest, strict=True):
        columns[row], down[row] = column, bool(turn[row, column] < 0)
    order = _of_columns(grid, columns, down)
    turn = index_map(reordered(grid, order), other)
    whole = np.round(turn[:3, 3])
    sizes = dict(zip(grid.axes, order.shape(grid.shape), strict=True))
    corners = itertools.product(*((0, sizes.get(axis, 1) - 1) for axis in ("x", "y", "z")))
    error = max(float(np.abs((turn @ [*corner, 1])[:3] - whole - corner).max()) for corner in corners)
    missing = set(range(3)) - set(present)
    if any(whole[row] for row in missing):
        error = float("inf")  # another plane
    offset = tuple(int(whole[COLUMN[axis]]) if axis in SPACE else 0 for axis in grid.axes)
    return Match(order, offset, error)


def index_map(grid: Geometry, other: Geometry) -> npt.NDArray[np.float64]:
    """4x4: from the index (i, j, k, 1) of a voxel of a grid to the index of its place in another one."""
    return np.asarray(np.linalg.solve(_in_millimetres(other), _in_millimetres(grid)), np.float64)


def overlaps(grid: Geometry, other: Geometry) -> bool:
    """Return False if the boxes of two grids, edges of their voxels included, lie apart.

    Boxes that are turned against each other may be taken to overlap where they nearly do.
    """
    return _reaches(grid, other) and _reaches(other, grid)


def _reaches(grid: Geometry, other: Geometry) -> bool:
    """Return True if the box of a grid touches another one, seen along the axes of that one."""
    sizes, others = (dict(zip(g.axes, g.shape, strict=True)) for g in (grid, other))
    edges = [(-0.5, sizes.get(axis, 1) - 0.5) for axis in ("x", "y", "z")]
    corners = np.array([[*corner, 1.0] for corner in itertools.product(*edges)])
    found = (corners @ index_map(grid, other).T)[:, :3]
    ends = np.array([others.get(axis, 1) - 0.5 for axis in ("x", "y", "z")])
    return bool((found.max(axis=0) > -0.5 + TOLERANCE).all() and (found.min(axis=0) < ends - TOLERANCE).all())


def _of_columns(geometry: Geometry, columns: Sequence[int], down: Sequence[bool]) -> Order:
    """The order whose columns of the affine are these, counting down where it is said."""
    names = {column: axis for axis, column in COLUMN.items()}
    axes, flipped = [], []
    for place, axis in enumerate(geometry.axes):
        space = axis in SPACE
        axes.append(geometry.axes.index(names[columns[COLUMN[axis]]]) if space else place)
        flipped.append(down[COLUMN[axis]] if space else False)
    return Order(tuple(axes), tuple(flipped))


def _in_millimetres(geometry: Geometry) -> npt.NDArray[np.float64]:
    """The affine in millimetres where all space axes have one unit of length, else as it is."""
    affine = geometry.affine.copy()
    affine[:3] *= millimetres(geometry)
    return affine
