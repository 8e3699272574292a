"""Progress of long work: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

LINES = 10


@contextlib.contextmanager
def progress(what: str, unit: str = "blocks") -> Iterator[Callable[[int, int], None]]:
    """A function to call with the numbers of blocks done and in all, from any thread."""
    if not sys.stderr.isatty():
        yield _Lines(what, unit)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class _Lines:
    """At most ten plain lines; none for work of a few blocks."""

    def __init__(self, what: str, unit: str) -> None:
        self.what, self.unit, self.said, self.lock = what, unit, 0, threading.Lock()

    def __call__(self, done: int, total: int) -> None:
        with self.lock:
            tenth = done * LINES // total
            if total < LINES or tenth <= self.said:
                return
            self.said = tenth
            sys.stderr.write(f"{self.what}: {done} of {total} {self.unit}\n")
