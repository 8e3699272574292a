"""Labels that come with the task of each block, computed for it, instead of being read from a source."""

from __future__ import annotations

from typing import Any

import numpy as np

from ngffseg.grid import Box, Index, Labels
from ngffseg.pyramid.pieces import exact_labels
from ngffseg.pyramid.plan import Block, PyramidPlan
from ngffseg.pyramid.strides import gathered


def block_spans(plan: PyramidPlan) -> Index:
    """Voxels of level 0 per axis under a block of the first pass."""
    top = plan.passes[0].top
    return tuple(u * w for u, w in zip(plan.levels[top].unit, plan.window(0, top), strict=True))


class HandedLabels:
    """Stands for labels of a plan of which each block of the first pass is handed its own."""

    def __init__(self, plan: PyramidPlan) -> None:
        self.shape, self.dtype = plan.levels[0].shape, plan.dtype
        self.chunks = self.unit = plan.levels[0].chunks
        self.spans = block_spans(plan)

    def of(self, block: Block, labels: Any) -> BlockLabels:
        """The source of a block.

        Raises
        ------
        UsageError, LabelValueError
            If its labels have another shape or dtype.
        """
        starts = [i * s for i, s in zip(block.index, self.spans, strict=True)]
        ends = [min(a + s, n) for a, s, n in zip(starts, self.spans, self.shape, strict=True)]
        return BlockLabels(self, exact_labels(labels, self.dtype, tuple(map(slice, starts, ends))), starts)

    @staticmethod
    def index(task: Any) -> Index:
        """Index of the block of a task."""
        found: Index = task[0].index
        return found

    def read(self, box: Box, out: Labels) -> Labels | None:  # noqa: ARG002
        """Nothing can be read without a block: to take it for background would lose labels."""
        raise LookupError("labels of a block come with its task")

    def occupied(self) -> None:
        """Nobody knows without computing."""

    def encoded_for(self, target: object) -> None:
        """What was computed is not encoded."""


class BlockLabels:
    """Labels of one block as a source."""

    def __init__(self, handed: HandedLabels, labels: Labels, starts: list[int]) -> None:
        self.chunks, self.unit = handed.chunks, handed.unit
        self.labels, self.starts = labels, starts

    def read(self, box: Box, out: Labels) -> Labels:  # noqa: ARG002
        """Labels of a box inside the block."""
        inside = tuple(slice(b.start - s, b.stop - s) for b, s in zip(box, self.starts, strict=True))
        return np.ascontiguousarray(gathered(self.labels[inside]))

    def occupied(self) -> None:
        """Nobody knows without looking."""

    def encoded_for(self, target: object) -> None:
        """What was computed is not encoded."""
