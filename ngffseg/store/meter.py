"""`Meter`: how many requests were made, and what they carried."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator


class Meter:
    """Counts of requests by verb (GET, PUT, DELETE, LIST, HEAD), and of bytes.

    Requests that were made again are counted each time.
    """

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.read_bytes = self.written_bytes = 0
        self._lock = threading.Lock()

    def request(self, verb: str, count: int = 1) -> None:
        """Count requests."""
        with self._lock:
            self.requests[verb] += count

    def carried(self, *, read: int = 0, written: int = 0) -> None:
        """Count bytes of bodies."""
        with self._lock:
            self.read_bytes += read
            self.written_bytes += written

    @property
    def total(self) -> int:
        """All requests."""
        return sum(self.requests.values())


_meters: list[Meter] = []


@contextlib.contextmanager
def metered() -> Iterator[Meter]:
    """Count the requests of all stores of this process while the block runs.

    Local stores that are opened meanwhile are read as an object store would be, so that the
    counts are those of a copy of them on S3.
    """
    meter = Meter()
    _meters.append(meter)
    try:
        yield meter
    finally:
        _meters.remove(meter)


def running() -> bool:
    """Return True if anybody counts."""
    return bool(_meters)


def count_request(verb: str, count: int = 1) -> None:
    """Count requests on all meters that are running."""
    for meter in tuple(_meters):
        meter.request(verb, count)


def count_bytes(*, read: int = 0, written: int = 0) -> None:
    """Count bytes on all meters that are running."""
    for meter in tuple(_meters):
        meter.carried(read=read, written=written)
