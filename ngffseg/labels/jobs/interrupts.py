"""Holding back an interrupt while metadata is written.

Zarr does its I/O in a thread of its own, which goes on when the caller is interrupted: what is
cleaned up then would be written again. So an interrupt waits until the call is done.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def defer_interrupts() -> Iterator[None]:
    """Hold back SIGINT until the block is done, then let it take its course."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread is ever interrupted
        return
    arrived: list[tuple[int, Any]] = []
    handler = signal.signal(signal.SIGINT, lambda number, frame: arrived.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if arrived and callable(handler):
            handler(*arrived[0])
