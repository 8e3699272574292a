"""Labels on another grid than they came on, read when they are sliced: whole voxels moved, or the nearest taken."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ngffseg.dask_arrays import computed
from ngffseg.geometry import SPACE, TOLERANCE, Geometry, Order, index_map
from ngffseg.grid import Box, Labels
from ngffseg.labels.read.lazy_level import bounding_box, checked
from ngffseg.model import ArrayLike

# Voxels that are looked at together.
PIECE = 2**22


class Moved:
    """Labels whose voxels lie on those of another grid: in another order, padded with background and cropped.

    Parameters
    ----------
    source
        Labels as they came.
    order
        The order in which their axes are those of the grid.
    offset
        Index in the grid of their voxel 0 in that order.
    shape
        Of the grid.
    """

    def __init__(self, source: ArrayLike, order: Order, offset: Sequence[int], shape: Sequence[int]) -> None:
        self.source, self.order = checked(source), order
        self.offset, self.shape = tuple(offset), tuple(shape)
        self.dtype, self.ndim = np.dtype(source.dtype), len(self.shape)
        self.held = order.shape(source.shape)
        chunks = getattr(source, "chunksize", getattr(source, "chunks", None))
        if chunks is not None:
            self.chunks = order.shape(chunks)

    def __getitem__(self, index: Any) -> Labels:
        box, rest = bounding_box(index, self.shape)
        out = np.zeros([b.stop - b.start for b in box], self.dtype)
        inside = [
            (max(b.start - o, 0), min(b.stop - o, n))
            for b, o, n in zip(box, self.offset, self.held, strict=True)
        ]
        if all(start < stop for start, stop in inside):
            target = tuple(
                slice(start + o - b.start, stop + o - b.start)
                for (start, stop), b, o in zip(inside, box, self.offset, strict=True)
            )
            out[target] = self.read(tuple(slice(start, stop) for start, stop in inside))
        return np.asarray(out[rest])

    def read(self, box: Box) -> Labels:
        """Labels of a box of the source in its new order."""
        return np.asarray(self.order.apply(_computed(self.source, self.order.inverse.box(box, self.held))))

    def lost(self) -> int:
        """Number of voxels of segments that lie outside of the grid."""
        ends = [min(n, size - o) for n, size, o in zip(self.held, self.shape, self.offset, strict=True)]
        starts = [min(max(0, -o), n) for o, n in zip(self.offset, self.held, strict=True)]
        kept = [slice(a, max(a, b)) for a, b in zip(starts, ends, strict=True)]
        return sum(
            int(np.count_nonzero(self.read(piece)))
            for outside in _around(kept, self.held)
            for piece in _pieces(outside)
        )


class Nearest:
    """Labels of the voxels of a source that lie closest to those of a grid; background where none is there.

    No value is computed, so that all label values stay exact. The middle between two voxels belongs to the one
    of higher index.

    Parameters
    ----------
    source
        Labels as they came.
    grid
        Their grid.
    wanted
        The other grid, of the same axes.
    """

    def __init__(self, source: ArrayLike, grid: Geometry, wanted: Geometry) -> None:
        self.source, self.shape = checked(source), wanted.shape
        self.dtype, self.ndim = np.dtype(source.dtype), len(self.shape)
        self.space = [place for place, axis in enumerate(wanted.axes) if axis in SPACE]
        columns = ["xyz".index(wanted.axes[place]) for place in self.space]
        turn = index_map(wanted, grid)
        self.turn, self.start = turn[np.ix_(columns, columns)], turn[columns, 3]

    def __getitem__(self, index: Any) -> Labels:
        box, rest = bounding_box(index, self.shape)
        out = np.zeros([b.stop - b.start for b in box], self.dtype)
        for piece in _pieces(box):
            target = tuple(
                slice(p.start - b.start, p.stop - b.start) for p, b in zip(piece, box, strict=True)
            )
            self._fill(out[target], piece)
        return np.asarray(out[rest])

    def _fill(self, out: Labels, box: Box) -> None:
        """Fill the labels of a box that are no background."""
        ranges = np.meshgrid(
            *(np.arange(box[n].start, box[n].stop) for n in self.space), indexing="ij", sparse=True
        )
        sizes = [self.source.shape[n] for n in self.space]
        inside: Any = True
        found = []
        for row, start, size in zip(self.turn, self.start, sizes, strict=True):
            place: Any = sum(step * axis for step, axis in zip(row, ranges, strict=True)) + start
            # What lies in the middle but for rounding lies in the middle.
            nearest = np.floor(place + (0.5 + TOLERANCE)).astype(np.int64)
            inside = inside & (nearest >= 0) & (nearest < size)
            found.append(nearest)
        if not inside.any():
            return
        picked = [np.broadcast_to(each, inside.shape)[inside] for each in found]
        wanted = list(box)
        for n, each in zip(self.space, picked, strict=True):
            wanted[n] = slice(int(each.min()), int(each.max()) + 1)
        labels = np.asarray(_computed(self.source, tuple(wanted)))
        out[..., inside] = labels[(..., *(p - p.min() for p in picked))]


def lost_outside(source: ArrayLike, grid: Geometry, image: Geometry) -> int:
    """Number of voxels of segments whose centres lie outside of the box of another grid."""
    turn, labels = index_map(grid, image), checked(source)
    places = [(place, "xyz".index(axis)) for place, axis in enumerate(grid.axes) if axis in SPACE]
    columns = [column for _, column in places]
    ends = np.array([image.shape[image.axes.index(grid.axes[place])] - 0.5 for place, _ in places])
    lost = 0
    for piece in _pieces([slice(0, n) for n in grid.shape]):
        index = np.argwhere(_computed(labels, piece)) + [p.start for p in piece]
        found = index[:, [place for place, _ in places]] @ turn[np.ix_(columns, columns)].T + turn[columns, 3]
        lost += int(((found < -0.5 - TOLERANCE) | (found > ends + TOLERANCE)).any(axis=1).sum())
    return lost


def _computed(source: Any, box: Box) -> Labels:
    """Labels of a box; what dask has to compute is computed by this thread, which is a worker."""
    return np.asarray(computed([source[box]])[0])


def _around(kept: Sequence[slice], shape: Sequence[int]) -> Iterator[Box]:
    """Boxes, none over another, of all that is not kept."""
    for axis, part in enumerate(kept):
        rest = [slice(0, n) for n in shape[axis + 1 :]]
        for start, stop in ((0, part.start), (part.stop, shape[axis])):
            if start < stop:
                yield (*kept[:axis], slice(start, stop), *rest)


def _pieces(box: Sequence[slice]) -> Iterator[Box]:
    """A box in parts of a size that memory holds, sliced along the first axes."""
    if any(b.start >= b.stop for b in box):
        return
    steps, room = [1] * len(box), PIECE
    for axis in reversed(range(len(box))):
        steps[axis] = max(1, min(box[axis].stop - box[axis].start, room))
        room //= steps[axis]
    ranges = [range(b.start, b.stop, step) for b, step in zip(box, steps, strict=True)]
    for starts in itertools.product(*ranges):
        yield tuple(
            slice(start, min(start + step, b.stop)) for start, step, b in zip(starts, steps, box, strict=True)
        )
