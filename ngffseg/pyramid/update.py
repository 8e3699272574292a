"""Levels above a box of level 0 that has changed, made anew from what lies under them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator

import numpy as np

from ngffseg.grid import Box, Labels
from ngffseg.pyramid.plan import PyramidPlan
from ngffseg.pyramid.reduction import downsample_into

# Voxels of a finer level that are looked at together.
PIECE = 2**24


def box_above(plan: PyramidPlan, number: int, box: Box) -> Box:
    """The voxels of a level whose windows touch a box of level 0."""
    level, window = plan.levels[number], plan.window(0, number)
    return tuple(
        slice(b.start // w, min(-(-b.stop // w), n)) for b, w, n in zip(box, window, level.shape, strict=True)
    )


def labels_of(plan: PyramidPlan, number: int, box: Box, read: Callable[[int, Box], Labels]) -> Labels:
    """Labels of a box of a level above level 0, as building all of the level would make them.

    Parameters
    ----------
    plan
        The plan of the pyramid.
    number
        The level.
    box
        Slices with start and stop inside its shape.
    read
        Labels of a box of a finer level, by its number.
    """
    below = number - 1 if plan.reduction.cascade else 0
    window = plan.window(below, number)
    shape = plan.levels[below].shape
    out = np.zeros([b.stop - b.start for b in box], plan.dtype)
    start = [b.start for b in box]
    for piece in _pieces(box, window):
        source = tuple(
            slice(p.start * w, min(p.stop * w, n)) for p, w, n in zip(piece, window, shape, strict=True)
        )
        at = [p.start - s for p, s in zip(piece, start, strict=True)]
        downsample_into(out, read(below, source), window, plan.reduction, at=at, start=start)
    return out


def _pieces(box: Box, window: tuple[int, ...]) -> Iterator[Box]:
    """Parts of a box, the windows of which hold not too many voxels."""
    size = [b.stop - b.start for b in box]
    while math.prod(size) * math.prod(window) > PIECE and max(size) > 1:
        axis = size.index(max(size))
        size[axis] = -(-size[axis] // 2)
    ranges = [range(b.start, b.stop, s) for b, s in zip(box, size, strict=True)]
    for corner in itertools.product(*ranges):
        yield tuple(slice(a, min(a + s, b.stop)) for a, s, b in zip(corner, size, box, strict=True))
