"""Doing all rows of a table, each once, whatever becomes of the others."""

from __future__ import annotations

import csv
import io
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from ngffseg.batch.row import BatchRow
from ngffseg.convert import import_segmentation, is_imported
from ngffseg.errors import ClusterError, Hint, NgffsegError, hints_of
from ngffseg.keywords import POSITIVE, strict
from ngffseg.store import local_path, put_object
from ngffseg.workers import CLUSTER, Cluster, Executor, ThreadExecutor, open_executor

Status = Literal["done", "skipped", "failed"]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a row.

    Parameters
    ----------
    line
        Line of the table.
    source, store, name
        As in the row.
    status
        ``done``; ``skipped``, since all of it was there already; or ``failed``.
    reason
        Why it failed.
    seconds
        How long it took.
    hints
        What can be done if it failed, each as it stands in the reason; not written to tables.
    """

    line: int
    source: str
    store: str
    name: str
    status: Status
    reason: str
    seconds: float
    hints: tuple[Hint, ...] = ()


class RowWork:
    """Does one row, in whatever process; it travels."""

    def __init__(self, threads: int | None) -> None:
        self.threads = threads

    def __call__(self, row: BatchRow) -> Result:
        """Import what a row names; what an earlier run has done of it is not done again."""
        start, reason = time.monotonic(), ""
        hints: tuple[Hint, ...] = ()
        options: Any = dict(row.options)
        try:
            replaced = options.pop("overwrite", False)
            files: Any = {"image": row.image, "table": row.table}
            if is_imported(row.source, row.store, name=row.name, **files, **options):
                status: Status = "skipped"
            else:
                import_segmentation(
                    row.source,
                    row.store,
                    name=row.name,
                    **files,
                    overwrite=replaced,
                    resume=True,
                    cluster="threads",
                    workers=self.threads,
                    **options,
                )
                status = "done"
        except (NgffsegError, OSError, MemoryError) as error:
            status, reason = "failed", " ".join(str(error).split()) or type(error).__name__
            hints = tuple(hints_of(error))
        seconds = round(time.monotonic() - start, 2)
        return Result(row.number, row.source, row.store, row.name, status, reason, seconds, hints)

    def name(self, row: BatchRow) -> str:
        """Which row it is."""
        return f"line {row.number} ({row.source})"

    def stop(self) -> None:
        """A row that has begun is brought to its end."""


@strict({"cluster": CLUSTER, "workers": POSITIVE.or_none()})
def run_batch(
    rows: Sequence[BatchRow],
    *,
    cluster: Cluster = None,
    workers: int | None = None,
    progress: Callable[[Result], None] | None = None,
) -> list[Result]:
    """Import all rows: one after another in the threads of this machine, or one per worker of a cluster.

    Parameters
    ----------
    rows
        What to import; see `read_rows`.
    cluster, workers
        As in `ngffseg.labels.WriteOptions`.
    progress
        Called with each result as it comes.

    Returns
    -------
    list of Result
        In the order of the rows. A row that fails does not stop the others.

    Raises
    ------
    ClusterError
        If the cluster cannot do it, or dies.
    """
    results: list[Result] = []
    with open_executor(cluster, workers) as executor:
        # Here a row has all threads; there each worker has a row.
        doing = executor if executor.elsewhere else ThreadExecutor(1)
        _check_reach(executor, rows)
        with closing(doing.run(RowWork(1 if executor.elsewhere else workers), rows)) as found:
            for _, result in found:
                results.append(result)
                if progress is not None:
                    progress(result)
    return sorted(results, key=lambda result: result.line)


def _check_reach(executor: Executor, rows: Sequence[BatchRow]) -> None:
    """Refuse stores on a disk that workers do not share: each would write one of its own.

    Raises
    ------
    ClusterError
        If a worker does not see a file that is put there for a moment.
    """
    roots = [root for root in (local_path(row.store) for row in rows) if root is not None]
    folders = {next(parent for parent in root.absolute().parents if parent.is_dir()) for root in roots}
    for folder in sorted(folders):
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".ngffseg-") as probe:
            for worker, seen in executor.each(os.path.exists, probe.name).items():
                if seen is not True:
                    raise ClusterError(
                        f"worker {worker} does not share {folder} with this machine: give stores that all machines"
                        " share, or s3:// addresses"
                    )


def as_row(result: Result) -> dict[str, Any]:
    """A result as it is written to tables, by column."""
    row = asdict(result)
    row.pop("hints")
    return row


def write_results(results: Sequence[Result], path: Path) -> None:
    """Write results as a CSV file, one line per row of the table; it is replaced in one step."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [f.name for f in fields(Result) if f.name != "hints"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(as_row(result) for result in sorted(results, key=lambda result: result.line))
    put_object(str(path.parent), path.name, text.getvalue().encode())
