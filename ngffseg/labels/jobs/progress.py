"""Progress of a write: blocks done and in all, counted over several pyramids."""

from __future__ import annotations

import threading
from collections.abc import Callable

# Called after each block with the numbers of blocks done and in all.
Progress = Callable[[int, int], None]


class BlockCounter:
    """Blocks done; called with the number of those just done, from any thread."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self.total, self.done, self.progress = total, 0, progress
        self.lock = threading.Lock()

    def __call__(self, blocks: int) -> None:
        """Count blocks and tell the progress."""
        with self.lock:
            self.done += blocks
            if self.progress is not None:
                self.progress(self.done, self.total)
