"""`ServedObjects`: objects of one store for a browser that asks for many small parts of them."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

from zarr.abc.store import Store
from zarr.storage import LocalStore

from ngffseg.chunks import Cache, objects_of
from ngffseg.store import object_size

# Objects are fetched in blocks of so many bytes, most of them whole: the browser asks for the index of a
# shard and for each chunk by itself, and tens of requests cost more time than one block.
BLOCK = 2**22
KEPT_BYTES = 2**28
# Seconds after which an object is asked for anew: what is shown may have been painted on.
FRESH = 60.0


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of an object.

    Parameters
    ----------
    data
        The bytes.
    start
        Where they begin in the object.
    size
        Number of bytes of the object.
    """

    data: bytes
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class _Known:
    """What was fetched: a block of an object, the number of its bytes in all, and when.

    Without data (None) the object is not there, or ends before.
    """

    data: bytes | None
    size: int
    since: float


class ServedObjects:
    """Reads objects of a store; from servers block by block, each of them once.

    Parameters
    ----------
    store
        The store.
    """

    def __init__(self, store: Store) -> None:
        self.store, self._objects = store, objects_of(store, "", listing=False)
        self._cache = Cache(KEPT_BYTES)
        self._local = isinstance(store, LocalStore)
        self._turns: dict[tuple[str, int], threading.Lock] = {}
        self._lock = threading.Lock()

    def size(self, key: str) -> int | None:
        """Number of bytes of an object; None if there is none."""
        if self._local:
            return object_size(self.store, key)
        known = self._block(key, 0)
        return None if known.data is None else known.size

    def read(self, key: str, start: int | None = None, stop: int | None = None) -> Span | None:
        """Bytes of an object from a start to a stop, as `range` counts them; None if there is none.

        A start below zero counts from the end. A part beyond the end is cut, as servers do.
        """
        size = self.size(key)
        if size is None:
            return None
        begin, end, _ = slice(start, stop).indices(size)
        if end <= begin:
            return Span(b"", begin, size)
        if self._local:
            data: Any = self._objects.get_many([(key, (begin, end))])[0]
            return None if data is None else Span(bytes(data), begin, size)
        first = begin // BLOCK
        blocks = [self._block(key, n).data or b"" for n in range(first, -(-end // BLOCK))]
        offset = first * BLOCK
        return Span(b"".join(blocks)[begin - offset : end - offset], begin, size)

    def _block(self, key: str, number: int) -> _Known:
        """One block of an object, with the number of bytes of all of it."""
        with self._lock:
            turn = self._turns.setdefault((key, number), threading.Lock())
        with turn:  # many parts of a block are asked for at the same time, and it is fetched once
            try:
                known: _Known = self._cache.get((key, number))
                if time.monotonic() < known.since + FRESH:
                    return known
            except KeyError:
                pass
            known = self._fetched(key, number)
            self._cache.put((key, number), known, 256 + len(known.data or b""))
            return known

    def _fetched(self, key: str, number: int) -> _Known:
        start = number * BLOCK
        data: Any = self._objects.get_many([(key, (start, start + BLOCK))])[0]
        if data is None:
            return _Known(None, 0, time.monotonic())
        # A block that is not full is the last one, and tells how long all of it is.
        whole = start + len(data) if len(data) < BLOCK or number else object_size(self.store, key)
        return _Known(bytes(data), whole or len(data), time.monotonic())
