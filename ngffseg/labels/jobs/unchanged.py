"""Labels in memory against those that an earlier run has stored: digests of them would cost every run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from ngffseg.chunks import StoredLabels
from ngffseg.dask_arrays import core_count
from ngffseg.errors import Hint, JobError
from ngffseg.grid import Box, chunk_boxes
from ngffseg.labels.jobs.checkpoints import CheckpointLog
from ngffseg.pyramid import PyramidPlan


def check_unchanged(
    url: str, plan: PyramidPlan, checkpoint_log: CheckpointLog, labels: Any, stored: StoredLabels
) -> None:
    """Refuse labels that are not those of the blocks of the first pass which are done.

    Raises
    ------
    JobError
        If they differ anywhere.
    """
    box = first_difference(labels, stored, _done_boxes(plan, checkpoint_log, stored))
    if box is not None:
        anew = Hint("begin anew")
        raise JobError(
            f"{url}: labels have changed since the job was begun, in box [{_text(box)}]: run {anew} to begin anew",
            hints=[anew],
        )


def first_difference(labels: Any, stored: StoredLabels, boxes: Iterable[Box]) -> Box | None:
    """The first of some boxes, each a chunk, in which labels differ from what is stored; None if all agree."""

    def difference(box: Box) -> Box | None:
        """The box, if labels differ in it."""
        there = stored.read(box, np.empty(math.prod(stored.chunks), stored.dtype))
        here = np.asarray(labels[box])
        same = np.array_equal(here, there) if there is not None else not here.any()
        return None if same else box

    with ThreadPoolExecutor(core_count()) as pool:
        return next((box for box in pool.map(difference, boxes) if box is not None), None)


def _done_boxes(plan: PyramidPlan, checkpoint_log: CheckpointLog, stored: StoredLabels) -> Iterator[Box]:
    """Boxes of the chunks of level 0 that were written before."""
    top = plan.passes[0].top
    spans = [u * w for u, w in zip(plan.levels[top].unit, plan.window(0, top), strict=True)]
    for block in checkpoint_log.blocks(0):
        region = tuple(
            slice(i * s, min((i + 1) * s, n))
            for i, s, n in zip(block.tolist(), spans, stored.shape, strict=True)
        )
        yield from chunk_boxes(stored.shape, stored.chunks, region)


def _text(box: Box) -> str:
    return ", ".join(f"{b.start}:{b.stop}" for b in box)
