"""`Cache`: what was fetched last, up to a number of bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

# Labels pack well: so many bytes are some gigavoxels.
CACHE_BYTES = 2**26


class Cache:
    """Values by key, the least recently used ones forgotten first; safe for threads.

    Where it travels to it is empty: it belongs to the process that fetched.

    Parameters
    ----------
    limit
        Bytes that are kept at most.
    """

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self.limit, self.size = limit, 0
        self._values: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[Cache], tuple[int]]:
        return Cache, (self.limit,)

    def get(self, key: Hashable) -> Any:
        """The value of a key, KeyError if it is not kept."""
        with self._lock:
            self._values.move_to_end(key)
            return self._values[key][0]

    def put(self, key: Hashable, value: Any, size: int) -> None:
        """Keep a value of so many bytes, if it is not larger than all that is kept."""
        with self._lock:
            self.size -= self._values.pop(key, (None, 0))[1]
            if size > self.limit:
                return
            self._values[key] = value, size
            self.size += size
            while self.size > self.limit:
                _, (_, freed) = self._values.popitem(last=False)
                self.size -= freed

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._values.clear()
            self.size = 0
