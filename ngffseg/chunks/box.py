"""Boxes of stored labels for people who look at them: each chunk once, all requests at a time."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from ngffseg.chunks.cache import Cache
from ngffseg.chunks.fetch import Fetch
from ngffseg.chunks.paste import paste
from ngffseg.chunks.stored import StoredLabels
from ngffseg.errors import ChunkError
from ngffseg.grid import Box, Index, Labels, touched_chunks

# Raises an error if an array is no longer the one that was opened.
Verify = Callable[[], None]
# Chunks that are fetched together: enough for a server, few enough for memory if nothing is packed.
BATCH, BATCH_BYTES = 256, 2**28


class BoxReader:
    """Reads boxes of one stored array.

    Parameters
    ----------
    labels
        The array.
    cache
        Keeps chunks as they are stored and indices of shards, so that what is looked at again is
        not fetched again. Arrays that share it are told apart by their names.
    """

    def __init__(self, labels: StoredLabels, cache: Cache | None = None) -> None:
        self.labels, self.cache = labels, cache

    def read(self, box: Box, verify: Verify | None = None) -> Labels:
        """Labels of a box, with start and stop inside the shape, as a new array.

        Parameters
        ----------
        box
            The box.
        verify
            Called once if an object is missing or cannot be decoded, before that is taken for background
            or for damage: the array may have been replaced.

        Raises
        ------
        ChunkError
            If a chunk cannot be decoded.
        """
        fetch = Fetch(self.labels, self.cache)
        try:
            out = self._decoded(box, fetch)
        except ChunkError:
            if verify is not None:
                verify()
            # An update may have written a shard between its index and its chunks, or after it was kept.
            fetch = Fetch(self.labels, self.cache, fresh=True)
            out = self._decoded(box, fetch)
        if fetch.missing and verify is not None:
            verify()
        fetch.keep_missing()
        return out

    def _decoded(self, box: Box, fetch: Fetch) -> Labels:
        labels = self.labels
        if any(b.start == b.stop for b in box):
            return np.zeros([b.stop - b.start for b in box], labels.dtype)
        grid = touched_chunks(box, labels.chunks)
        scratch = np.empty(math.prod(labels.chunks), labels.dtype)
        if all(b.start % c == 0 and b.stop - b.start == c for b, c in zip(box, labels.chunks, strict=True)):
            # One whole chunk, as dask asks for: nothing is copied.
            index = tuple(r.start for r in grid)
            (data,) = fetch.chunks([index])
            return (
                np.zeros(labels.chunks, labels.dtype) if data is None else labels.decode(index, data, scratch)
            )
        out = np.zeros([b.stop - b.start for b in box], labels.dtype)
        count = max(8, min(BATCH, BATCH_BYTES // scratch.nbytes))
        for batch in _batches(self._groups(grid), count):
            for index, data in zip(batch, fetch.chunks(batch), strict=True):
                if data is not None:
                    paste(out, box, labels.decode(index, data, scratch), index)
        return out

    def _groups(self, grid: list[range]) -> Iterator[list[Index]]:
        """Indices of chunks, those of one shard together."""
        if self.labels.shard is None:
            return ([index] for index in itertools.product(*grid))
        per_shard = self.labels.shard.chunks_per_shard
        units = touched_chunks(grid, per_shard)
        return (
            list(
                itertools.product(
                    *(
                        range(max(r.start, u * n), min(r.stop, (u + 1) * n))
                        for r, u, n in zip(grid, unit, per_shard, strict=True)
                    )
                )
            )
            for unit in itertools.product(*units)
        )


def _batches(groups: Iterable[list[Index]], count: int) -> Iterator[list[Index]]:
    """So many indices at most at a time; a group is in one batch if it is no larger, so that it is fetched once."""
    batch: list[Index] = []
    for group in groups:
        if batch and len(batch) + len(group) > count:
            yield batch
            batch = []
        batch += group
        while len(batch) > count:
            yield batch[:count]
            batch = batch[count:]
    if batch:
        yield batch
