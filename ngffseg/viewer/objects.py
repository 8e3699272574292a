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

# A small object is fetched whole: the browser asks for the index of a shard and for each chunk by itself,
# and a request costs more time than so many bytes.
SMALL = 2**21
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
    """What is known of an object: all its bytes, that it is not there (None), or only its size."""

    data: bytes | None
    size: int
    since: float


class ServedObjects:
    """Reads objects of a store, small ones from servers whole and once.

    Parameters
    ----------
    store
        The store.
    """

    def __init__(self, store: Store) -> None:
        self.store, self._objects = store, objects_of(store, "", listing=False)
        self._cache = Cache(KEPT_BYTES)
        self._local = isinstance(store, LocalStore)
        self._turns: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def size(self, key: str) -> int | None:
        """Number of bytes of an object; None if there is none."""
        known = self._known(key)
        return None if known is None else known.size

    def read(self, key: str, start: int | None = None, stop: int | None = None) -> Span | None:
        """Bytes of an object from a start to a stop, as `range` counts them; None if there is none.

        A start below zero counts from the end. A part beyond the end is cut, as servers do.
        """
        known = self._known(key)
        if known is None:
            return None
        begin, end, _ = slice(start, stop).indices(known.size)
        end = max(begin, end)
        if known.data is not None:
            return Span(known.data[begin:end], begin, known.size)
        part = (begin, end) if end - begin < known.size else None
        data = self._objects.get_many([(key, part)])[0] if end > begin else b""
        return None if data is None else Span(bytes(data), begin, known.size)

    def _known(self, key: str) -> _Known | None:
        if self._local:
            size = object_size(self.store, key)
            return None if size is None else _Known(None, size, 0.0)
        with self._lock:
            turn = self._turns.setdefault(key, threading.Lock())
        with turn:  # many parts of an object are asked for at the same time, and it is fetched once
            try:
                known: _Known = self._cache.get(key)
                if time.monotonic() < known.since + FRESH:
                    return None if known.size < 0 else known
            except KeyError:
                pass
            known = self._fetched(key)
            self._cache.put(key, known, 256 + len(known.data or b""))
        return None if known.size < 0 else known

    def _fetched(self, key: str) -> _Known:
        data: Any = self._objects.get_many([(key, (0, SMALL))])[0]
        now = time.monotonic()
        if data is None:
            return _Known(None, -1, now)
        if len(data) < SMALL:
            return _Known(bytes(data), len(data), now)
        return _Known(None, object_size(self.store, key) or len(data), now)
