"""Which blocks and tiles have anything under them, from a listing of the objects of the source."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from ngffseg.grid import Index
from ngffseg.pyramid.plan import Block, PyramidPlan

Objects = npt.NDArray[np.int64]


def occupied_blocks(
    plan: PyramidPlan, stage: int, objects: Objects | None, unit: Sequence[int]
) -> Iterator[tuple[Block, Objects | None]]:
    """Blocks of a pass that have any object of the source under them, with these objects.

    Parameters
    ----------
    objects
        Indices of the objects of the source, shape (n, ndim); None: all blocks, objects unknown.
    unit
        Voxels per object of the source.
    """
    if objects is None:
        yield from ((block, None) for block in plan.blocks_of(stage))
        return
    pass_ = plan.passes[stage]
    top = plan.levels[pass_.top]
    window = plan.window(pass_.source or 0, pass_.top)
    spans = np.array([u * w for u, w in zip(top.unit, window, strict=True)])
    grid = plan.grid(stage)
    inside = (objects < -(-np.array(plan.levels[pass_.source or 0].shape) // np.array(unit))).all(axis=1)
    objects = objects[inside]
    first = objects * unit // spans
    last = np.minimum(((objects + 1) * unit - 1) // spans, np.array(grid) - 1)
    flat, rows = _spread(first, last, grid)
    order = np.argsort(flat, kind="stable")
    flat, rows = flat[order], rows[order]
    for group in np.split(np.arange(len(flat)), np.flatnonzero(np.diff(flat)) + 1):
        if len(group):
            index = tuple(int(i) for i in np.unravel_index(flat[group[0]], grid))
            yield Block(stage, index), objects[rows[group]]


def _spread(first: Objects, last: Objects, grid: Sequence[int]) -> tuple[Objects, Objects]:
    """Flat indices of the blocks from ``first`` to ``last`` of each object, and the object's row."""
    rows = np.arange(len(first))
    flat = np.ravel_multi_index(tuple(first.T), tuple(grid)) if len(first) else rows
    wide = (last > first).any(axis=1)
    if not wide.any():
        return flat, rows
    more_flat, more_rows = [flat[~wide]], [rows[~wide]]
    for row in rows[wide]:
        ranges = [np.arange(a, b + 1) for a, b in zip(first[row], last[row], strict=True)]
        blocks = np.ravel_multi_index(np.meshgrid(*ranges, indexing="ij"), tuple(grid)).ravel()
        more_flat.append(blocks)
        more_rows.append(np.full(len(blocks), row))
    return np.concatenate(more_flat), np.concatenate(more_rows)


def wanted_tiles(
    objects: Objects, unit: Sequence[int], window: Sequence[int], chunks: Sequence[int], grid: Sequence[int]
) -> set[Index]:
    """Tiles of a level that have any of these objects of the source under them."""
    spans = np.array([c * w for c, w in zip(chunks, window, strict=True)])
    first = objects * unit // spans
    last = np.minimum(((objects + 1) * unit - 1) // spans, np.array(grid) - 1)
    tiles: set[Index] = set()
    for low, high in zip(first.tolist(), last.tolist(), strict=True):
        if low == high:
            tiles.add(tuple(low))
        else:
            tiles.update(itertools.product(*(range(a, b + 1) for a, b in zip(low, high, strict=True))))
    return tiles
