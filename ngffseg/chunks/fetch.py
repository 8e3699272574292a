"""`Fetch`: the encoded chunks that one read needs, from the cache or from the store.

Law of this file: a chunk that is not wanted is not fetched. Of a shard, its index is fetched and then the
ranges of the chunks, ranges that touch as one; a shard that is wanted wholly, and a small one of which
many chunks are wanted, is fetched as it is.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ngffseg.chunks.cache import Cache
from ngffseg.chunks.folder import Part, Suffix
from ngffseg.chunks.shard import BEYOND, joined
from ngffseg.chunks.stored import StoredLabels
from ngffseg.grid import Index

# A gap of so many bytes between two ranges costs less than a request.
GAP = 2**14
INDEX_COST = 64
# Of a shard of which so many chunks are wanted, so many bytes cost less than the request for its index.
MANY, SMALL = 2, 2**21
# No index of a shard: stands for all shards of an array that are not small.
LARGE: Index = ()


class Fetch:
    """Fetches chunks for one read of an array.

    Parameters
    ----------
    labels
        The array.
    cache
        Keeps what was fetched; see `BoxReader`.
    fresh
        Fetch what the cache holds once more.
    """

    def __init__(self, labels: StoredLabels, cache: Cache | None, *, fresh: bool = False) -> None:
        self.labels, self.cache, self.fresh = labels, cache, fresh
        # Objects that were asked for and are not there, and what to keep of that once it is verified.
        self.missing: set[Index] = set()
        self._unverified: list[Any] = []

    def keep_missing(self) -> None:
        """Keep in the cache that objects are missing; they belong to the array, or would not be."""
        for key in self._unverified:
            self._keep(key, None)

    def chunks(self, batch: Sequence[Index]) -> list[Any]:
        """Encoded chunks, None for missing ones.

        Raises
        ------
        ChunkError
            If a shard is damaged.
        """
        known = self._known(batch, ())
        wanted = [index for index in batch if index not in known]
        shard = self.labels.shard
        fetched = self._whole_objects(wanted) if shard is None else self._parts(wanted)
        for index, data in fetched.items():
            self._note(index if shard is None else shard.unit_of(index), (index,), data)
        found = known | fetched
        return [found[index] for index in batch]

    def _known(self, indices: Iterable[Index], kind: tuple[str, ...]) -> dict[Index, Any]:
        """What the cache holds of chunks, or of the indices of shards."""
        found: dict[Index, Any] = {}
        if self.cache is None or self.fresh:
            return found
        for index in indices:
            with contextlib.suppress(KeyError):
                found[index] = self.cache.get((self.labels.name, *kind, index))
        return found

    def _note(self, unit: Index, key: tuple[Any, ...], value: Any) -> None:
        """Keep what was found in an object; that it is missing, not before this is verified."""
        if unit in self.missing:
            self._unverified.append(key)
        else:
            self._keep(key, value)

    def _keep(self, key: tuple[Any, ...], value: Any) -> None:
        if self.cache is not None:
            size = INDEX_COST + (0 if value is None else memoryview(value).nbytes)
            self.cache.put((self.labels.name, *key), value, size)

    def _whole_objects(self, units: Sequence[Index]) -> dict[Index, Any]:
        return self._get([(unit, None) for unit in units])

    def _get(self, wanted: Sequence[tuple[Index, Part]]) -> dict[Index, Any]:
        """Objects or parts of them, one of each; missing ones are noted."""
        keys = [(self.labels.keys.key(unit), part) for unit, part in wanted]
        found = dict(zip((unit for unit, _ in wanted), self.labels.objects.get_many(keys), strict=True))
        self.missing |= {unit for unit, data in found.items() if data is None}
        return found

    def _parts(self, wanted: Sequence[Index]) -> dict[Index, Any]:
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
        found |= {index: None for parts in units.values() for index in parts}
        ranges = [
            (unit, *part)
            for unit, parts in units.items()
            if tables[unit] is not None
            for part in joined(self.labels.places(tables[unit], parts), GAP)
        ]
        requests: list[tuple[str, Part]] = [
            (self.labels.keys.key(unit), (start, stop)) for unit, start, stop, _ in ranges
        ]
        for (unit, start, stop, places), data in zip(
            ranges, self.labels.objects.get_many(requests), strict=True
        ):
            if data is None:  # it was removed after its index was fetched
                self.missing.add(unit)
                continue
            if len(data) != stop - start:
                raise self.labels.damaged(places[0][0], BEYOND)
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
        found: dict[Index, Any] = {}
        for unit, data in self._whole_objects(list(units)).items():
            found |= self._all_of(unit, units[unit][0], data)
        return found

    def _all_of(self, unit: Index, one: Index, data: Any) -> dict[Index, Any]:
        """All chunks of a shard that was fetched whole; those that nobody asked for may be wanted next."""
        table = None if data is None else self.labels.table(one, data)
        self._note(unit, ("index", unit), table)
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
        known = self._known(units, ("index",))
        many = [unit for unit, parts in units.items() if len(parts) >= MANY and unit not in known]
        for turn in (many[:1], many[1:]):
            if self.cache is None or self._known([LARGE], ("index",)):
                break
            for unit, data in self._get([(unit, (0, SMALL)) for unit in turn]).items():
                if data is not None and len(data) >= SMALL:
                    self._keep(("index", LARGE), None)
                    continue
                found |= self._all_of(unit, units.pop(unit)[0], data)
        return found

    def _tables(self, units: dict[Index, Index]) -> dict[Index, Any]:
        """Indices of shards, each named with one of its chunks; None for missing shards."""
        shard = self.labels.shard
        assert shard is not None
        found = self._known(units, ("index",))
        part: Part = (0, shard.index_bytes) if shard.index_first else Suffix(shard.index_bytes)
        for unit, data in self._get([(unit, part) for unit in units if unit not in found]).items():
            found[unit] = None if data is None else self.labels.table(units[unit], data)
            self._note(unit, ("index", unit), found[unit])
        return found
