"""Progress of long work: a bar on a terminal, plain lines elsewhere; rate and remaining time in both."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from ngffseg.cli.telling import tell
from ngffseg.text import plain

LINES = 10


@contextlib.contextmanager
def progress(what: str, unit: str = "blocks") -> Iterator[Callable[[int, int], None]]:
    """A function to call with the numbers of blocks done and in all, from any thread."""
    if not sys.stderr.isatty():
        yield _Lines(what, unit)
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(unit),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(plain(what), total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class _Rate(ProgressColumn):
    """Blocks per second."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self.unit = unit

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.3g} {self.unit}/s" if task.speed else "")


class _Lines:
    """At most ten plain lines; none for work of a few blocks."""

    def __init__(self, what: str, unit: str) -> None:
        self.what, self.unit, self.said, self.lock = what, unit, 0, threading.Lock()
        self.first: tuple[float, int] | None = None

    def __call__(self, done: int, total: int) -> None:
        with self.lock:
            now = time.monotonic()
            self.first = self.first or (now, done)
            tenth = done * LINES // total
            if total < LINES or tenth <= self.said:
                return
            self.said = tenth
            # What an earlier run has done comes with the first block, and is no rate of this one.
            seconds, blocks = now - self.first[0], done - self.first[1]
            line = f"{self.what}: {done} of {total} {self.unit}"
            if blocks and seconds > 0 and done < total:
                line += f", {blocks / seconds:.3g} per second, {(total - done) * seconds / blocks:.0f} s left"
            tell(line)
