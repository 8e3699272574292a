"""Boxes of stored labels for people who look at them: each chunk once, all requests at a time.

Law of this file: a chunk that is not in the box is not fetched. Of a shard, its index is fetched and
then the ranges of the chunks, ranges that touch as one; a shard that lies in the box wholly, and a small
one of which many chunks are wanted, is fetched as it is.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ngffseg.chunks.cache import Cache
from ngffseg.chunks.folder import Part, Suffix
from ngffseg.chunks.paste import Box, paste
from ngffseg.chunks.shard import Index
from ngffseg.chunks.stored import StoredLabels

Labels = npt.NDArray[Any]
# Chunks that are fetched together: enough for a server, few enough for memory if nothing is packed.
BATCH, BATCH_BYTES = 256, 2**28
# A gap of so many bytes between two ranges costs less than a request.
GAP = 2**14
INDEX_COST = 64
# Of a shard of which so many chunks are wanted, so many bytes cost less than the request for its index.
MANY, SMALL = 2, 2**21


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

    def read(self, box: Box) -> Labels:
        """Labels of a box, with start and stop inside the shape, as a new array.

        Raises
        ------
        ChunkError
            If a chunk cannot be decoded.
        """
        labels = self.labels
        out = np.zeros([b.stop - b.start for b in box], labels.dtype)
        grid = [range(b.start // c, -(-b.stop // c)) for b, c in zip(box, labels.chunks, strict=True)]
        if out.size == 0:
            return out
        scratch = np.empty(int(np.prod(labels.chunks)), labels.dtype)
        count = max(8, min(BATCH, BATCH_BYTES // scratch.nbytes))
        for batch in _batches(self._order(grid), count):
            for index, data in zip(batch, self._fetch(batch), strict=True):
                if data is not None:
                    paste(out, box, labels.decode(index, data, scratch), index)
        return out

    def _order(self, grid: list[range]) -> Iterator[Index]:
        """Indices of chunks, those of one shard after another."""
        if self.labels.shard is None:
            return itertools.product(*grid)
        per_shard = self.labels.shard.chunks_per_shard
        units = [range(r.start // n, -(-r.stop // n)) for r, n in zip(grid, per_shard, strict=True)]
        return (
            index
            for unit in itertools.product(*units)
            for index in itertools.product(
                *(
                    range(max(r.start, u * n), min(r.stop, (u + 1) * n))
                    for r, u, n in zip(grid, unit, per_shard, strict=True)
                )
            )
        )

    def _fetch(self, batch: Sequence[Index]) -> list[Any]:
        """Encoded chunks, None for missing ones."""
        found: dict[Index, Any] = {}
        for index in batch:
            try:
                if self.cache is not None:
                    found[index] = self.cache.get((self.labels.name, index))
            except KeyError:
                pass
        wanted = [index for index in batch if index not in found]
        fetched = self._fetch_chunks(wanted) if self.labels.shard is None else self._fetch_parts(wanted)
        for index, data in fetched.items():
            found[index] = data
            self._keep((self.labels.name, index), data)
        return [found[index] for index in batch]

    def _keep(self, key: Any, data: Any) -> None:
        if self.cache is not None:
            self.cache.put(key, data, INDEX_COST + (0 if data is None else memoryview(data).nbytes))

    def _fetch_chunks(self, wanted: Sequence[Index]) -> dict[Index, Any]:
        keys = [(self.labels.keys.key(index), None) for index in wanted]
        return dict(zip(wanted, self.labels.objects.get_many(keys), strict=True))

    def _fetch_parts(self, wanted: Sequence[Index]) -> dict[Index, Any]:
        """Chunks of shards."""
        shard = self.labels.shard
        assert shard is not None
        units: dict[Index, list[Index]] = {}
        for index in wanted:
            units.setdefault(shard.unit_of(index), []).append(index)
        whole = [unit for unit, parts in units.items() if len(parts) == self._chunks_in(unit) > 1]
        found = self._whole_shards({unit: units.pop(unit) for unit in whole})
        found |= self._small_shards(units)
        tables = self._tables({unit: parts[0] for unit, parts in units.items()})
        ranges = [
            (unit, *part)
            for unit, parts in units.items()
            if tables[unit] is not None
            for part in shard.ranges(tables[unit], parts, GAP)
        ]
        requests = [(self.labels.keys.key(unit), (start, stop)) for unit, start, stop, _ in ranges]
        fetched = self.labels.objects.get_many(requests)
        found |= {index: None for parts in units.values() for index in parts}
        for (_, start, stop, places), data in zip(ranges, fetched, strict=True):
            if data is None or len(data) != stop - start:
                raise self.labels.damaged(places[0][0], "the index of the shard points beyond its end")
            view = memoryview(data)
            found |= {index: bytes(view[a - start : b - start]) for index, a, b in places}
        return found

    def _chunks_in(self, unit: Index) -> int:
        """How many chunks of a shard lie in the array."""
        labels = self.labels
        assert labels.shard is not None
        counts = (
            min(n, -(-s // c) - u * n)
            for u, n, s, c in zip(
                unit, labels.shard.chunks_per_shard, labels.shape, labels.chunks, strict=True
            )
        )
        return int(np.prod(list(counts)))

    def _whole_shards(self, units: dict[Index, list[Index]]) -> dict[Index, Any]:
        keys = [(self.labels.keys.key(unit), None) for unit in units]
        found: dict[Index, Any] = {}
        for (unit, parts), data in zip(units.items(), self.labels.objects.get_many(keys), strict=True):
            found |= self._all_of(unit, parts[0], data)
        return found

    def _all_of(self, unit: Index, one: Index, data: Any) -> dict[Index, Any]:
        """All chunks of a shard that was fetched whole; those that nobody asked for may be wanted next."""
        table = None if data is None else self.labels.table(one, data)
        self._keep((self.labels.name, "index", unit), table)
        shard = self.labels.shard
        assert shard is not None
        begin = [u * n for u, n in zip(unit, shard.chunks_per_shard, strict=True)]
        places = itertools.product(
            *(range(b, b + n) for b, n in zip(begin, shard.chunks_per_shard, strict=True))
        )
        return {index: self.labels.part(index, table, data) for index in places}

    def _small_shards(self, units: dict[Index, list[Index]]) -> dict[Index, Any]:
        """Chunks of shards that turn out to be small, which are taken off ``units``.

        Whether the shards of an array are small is known when one of them has been fetched; one that is
        not costs SMALL bytes, once.
        """
        found: dict[Index, Any] = {}
        many = [unit for unit, parts in units.items() if len(parts) >= MANY and not self._knows(unit)]
        for turn in (many[:1], many[1:]):
            if self.cache is None or self._knows("large"):
                break
            requests = [(self.labels.keys.key(unit), (0, SMALL)) for unit in turn]
            for unit, data in zip(turn, self.labels.objects.get_many(requests), strict=True):
                if data is not None and len(data) >= SMALL:
                    self._keep((self.labels.name, "index", "large"), None)
                    continue
                found |= self._all_of(unit, units.pop(unit)[0], data)
        return found

    def _knows(self, unit: Any) -> bool:
        """Whether the index of a shard is at hand."""
        if self.cache is None:
            return False
        try:
            self.cache.get((self.labels.name, "index", unit))
        except KeyError:
            return False
        return True

    def _tables(self, units: dict[Index, Index]) -> dict[Index, Any]:
        """Indices of shards, each named with one of its chunks; None for missing shards."""
        found: dict[Index, Any] = {}
        for unit in units:
            try:
                if self.cache is not None:
                    found[unit] = self.cache.get((self.labels.name, "index", unit))
            except KeyError:
                pass
        shard = self.labels.shard
        assert shard is not None
        missing = [unit for unit in units if unit not in found]
        part: Part = (0, shard.index_bytes) if shard.index_first else Suffix(shard.index_bytes)
        requests = [(self.labels.keys.key(unit), part) for unit in missing]
        for unit, data in zip(missing, self.labels.objects.get_many(requests), strict=True):
            found[unit] = None if data is None else self.labels.table(units[unit], data)
            self._keep((self.labels.name, "index", unit), found[unit])
        return found


def _batches(indices: Iterable[Index], count: int) -> Iterator[list[Index]]:
    rest = iter(indices)
    while batch := list(itertools.islice(rest, count)):
        yield batch
