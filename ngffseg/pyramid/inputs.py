"""What is handed in as level 0 becomes a source: memory, a lazy array, or chunks in a store."""

from __future__ import annotations

from typing import Any

import numpy as np

from ngffseg.errors import UsageError
from ngffseg.grid import Box, Labels
from ngffseg.pyramid.pieces import PieceSource
from ngffseg.pyramid.plan import PyramidPlan
from ngffseg.pyramid.source import LabelSource, is_source
from ngffseg.pyramid.strides import gathered


def as_source(labels: Any, plan: PyramidPlan) -> LabelSource:
    """Labels that were handed in, as a source of the tiles of a plan.

    Raises
    ------
    UsageError
        If their shape is not that of the plan.
    """
    shape = plan.levels[0].shape
    if tuple(labels.shape) != shape:
        raise UsageError(f"labels of shape {tuple(labels.shape)}: the plan is for {shape}")
    if is_source(labels):
        return labels if _fits(labels, plan) else PieceSource(labels, plan, labels.chunks)
    if isinstance(labels, np.ndarray):
        return MemorySource(labels, plan)
    chunks = getattr(labels, "chunksize", getattr(labels, "chunks", None)) or (1,) * len(shape)
    return PieceSource(labels, plan, chunks)


def _fits(source: LabelSource, plan: PyramidPlan) -> bool:
    """Return True if a tile needs no part of a chunk that another tile needs too."""
    level = plan.levels[0]
    if plan.passes[0].source is not None:
        return True  # its own chunks are the tiles
    return all(t % c == 0 or t >= n for t, c, n in zip(level.chunks, source.chunks, level.shape, strict=True))


class MemorySource:
    """An array in memory: tiles are views, or copies where views are not contiguous."""

    def __init__(self, labels: Labels, plan: PyramidPlan) -> None:
        self.labels, self.dtype = labels, plan.dtype
        self.chunks = self.unit = plan.levels[0].chunks

    def read(self, box: Box, out: Labels) -> Labels:
        """Labels of a box."""
        view = self.labels[box]
        if view.flags.c_contiguous and view.dtype == self.dtype:
            return view
        tile = out[: view.size].reshape(view.shape)
        np.copyto(tile, gathered(view))
        return tile

    def occupied(self) -> None:
        """Nobody knows without looking."""

    def encoded_for(self, target: object) -> None:
        """Arrays in memory are not encoded."""
