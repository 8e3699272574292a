"""`DaskExecutor`: the workers of a dask cluster; the one place that knows dask.distributed.

The scheduler never holds more than a window of tasks, so a plan of ten million blocks starts at once.
What a task needs but its own few numbers (the plan, the arrays) is sent to each worker once.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Generator, Iterable
from importlib.metadata import PackageNotFoundError, version
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from ngffseg.errors import ClusterError, Hint, NgffsegError, StoreError
from ngffseg.workers.executor import R, T, Work
from ngffseg.workers.feed import Feed
from ngffseg.workers.worker_task import Failure, do_task, stop_tasks, unpacked

if TYPE_CHECKING:
    import distributed

# Tasks that the scheduler holds: per thread of the cluster, and at least, for clusters that grow.
PER_THREAD, LEAST = 4, 32
# A task that fails is done again elsewhere, so often in all.
ATTEMPTS = 3
# Seconds: for workers to appear, and between two looks at them.
APPEAR, LOOK = 30.0, 2.0
RESUME = Hint("resume")


class DaskExecutor:
    """The workers of a dask cluster, whoever started them.

    ``feed`` computes there what each task reads; then the work is a `HandedWork`.
    """

    elsewhere = True

    def __init__(self, client: distributed.Client, feed: Feed | None = None) -> None:
        self.client, self.feed = client, feed
        self.threads = 0
        self._seen = -LOOK
        self._alone: float | None = None

    def check(self) -> None:
        """Refuse workers that cannot do the work.

        Raises
        ------
        ClusterError
            If there are none, or they lack ngffseg or have another version of it.
        """
        address = self.client.scheduler.address if self.client.scheduler is not None else "the scheduler"
        try:
            self.client.wait_for_workers(1, timeout=APPEAR)
        except TimeoutError:
            raise ClusterError(f"{address} has no worker: start some, as by: dask worker {address}") from None
        ours, found = version("ngffseg"), self.each(version, "ngffseg")
        for where, theirs in found.items():
            if theirs != ours:
                lacks = isinstance(theirs, PackageNotFoundError)
                answer = "lacks ngffseg" if lacks else f"has ngffseg {theirs}, not {ours}"
                raise ClusterError(
                    f"worker {where} {answer}: there, pip install ngffseg=={ours}, and start it again"
                )

    def each(self, call: Any, *arguments: Any) -> dict[str, Any]:
        """What a call gives on each worker, or the exception that it raises there, by address."""
        from distributed.comm.core import CommClosedError

        found: dict[str, Any] = self.client.run(call, *arguments, on_error="return")
        # A worker that has just died says nothing; the others do its work.
        return {worker: answer for worker, answer in found.items() if not isinstance(answer, CommClosedError)}

    def run(self, work: Work[T, R], tasks: Iterable[T]) -> Generator[tuple[T, R], None, None]:
        """Do all tasks, and give each with its result as it is done."""
        token = uuid.uuid4().hex
        # The result of a task, not data: where its worker dies the scheduler makes it again.
        packed = self.client.submit(unpacked, token, work, key=f"ngffseg-{token}", pure=False)
        running = _Running(self, work, packed, token)
        try:
            for task in tasks:
                running.begin(task, [], [] if self.feed is None else [self.feed(task)])
                # What is computed in one go lies on the workers until a task reads it: all tasks wait there.
                in_one_go = self.feed is not None and self.feed.whole
                while not in_one_go and running.count >= max(LEAST, PER_THREAD * self.look()):
                    yield running.next()
            while running.count:
                yield running.next()
        except BaseException:
            running.end()
            raise
        finally:
            packed.release()
            if self.feed is not None:
                self.feed.drop()

    def look(self) -> int:
        """Number of threads of the workers, looked up once in a while.

        Raises
        ------
        ClusterError
            If the scheduler is gone, or has had no workers for long.
        """
        now = time.monotonic()
        if now - self._seen < LOOK:
            return self.threads
        self._seen = now
        try:
            if self.client.status != "running":
                raise OSError(self.client.status)
            self.threads = sum(self.client.nthreads().values())
        except (OSError, TimeoutError, RuntimeError) as error:
            raise ClusterError(
                f"the scheduler of the cluster is gone ({error}): start it, and run again with {RESUME}",
                hints=[RESUME],
            ) from error
        if self.threads:
            self._alone = None
        elif self._alone is None:
            self._alone = now
        elif now - self._alone > APPEAR:
            raise ClusterError(
                f"no worker of the cluster is left: start some, and run again with {RESUME}", hints=[RESUME]
            )
        return self.threads


class _Running:
    """Tasks that are with the scheduler."""

    def __init__(self, executor: DaskExecutor, work: Work[Any, Any], packed: Any, token: str) -> None:
        self.executor, self.work, self.packed, self.token = executor, work, packed, token
        self.done: SimpleQueue[tuple[Any, Any, list[str]]] = SimpleQueue()
        # With what each was handed, for another try.
        self.futures: dict[Any, list[Any]] = {}
        self.number = 0

    @property
    def count(self) -> int:
        return len(self.futures)

    def begin(self, task: Any, failed: list[str], handed: list[Any]) -> None:
        """Hand a task to the scheduler, for workers where it has not failed yet."""
        others = [w for w in self.executor.client.nthreads() if w not in failed] if failed else []
        where: Any = {"workers": others, "allow_other_workers": True} if others else {}
        self.number += 1
        future = self.executor.client.submit(
            do_task,
            self.packed,
            task,
            *handed,
            key=f"ngffseg-{self.token}-{self.number}",
            pure=False,
            # What was computed is read before more is.
            priority=len(handed),
            **where,
        )
        self.futures[future] = handed
        self._await(task, future, failed)

    def _await(self, task: Any, future: Any, failed: list[str]) -> None:
        future.add_done_callback(lambda future: self.done.put((task, future, failed)))

    def next(self) -> tuple[Any, Any]:
        """The next task that is done, with its result."""
        while True:
            try:
                task, future, failed = self.done.get(timeout=LOOK)
            except Empty:
                self.executor.look()
                continue
            if future.status in ("pending", "lost"):
                # It was done, but its worker has died with the result: the scheduler has it done again.
                self._await(task, future, failed)
                continue
            handed = self.futures.pop(future)
            found = self._result(future)
            if not isinstance(found, Failure):
                return task, found
            if found.final or len(failed) + 1 >= ATTEMPTS:
                raise _named(self.work.name(task), found)
            self.begin(task, [*failed, found.worker], handed)

    def _result(self, future: Any) -> Any:
        if future.status == "finished":
            return future.result()
        if future.status == "error":  # what the cluster itself raises, as where workers died of a task
            error = future.exception()
            worker = getattr(getattr(error, "last_worker", None), "address", "")
            return Failure(worker, error, final=type(error).__name__ == "KilledWorker")
        self.executor._seen = -LOOK
        self.executor.look()
        raise ClusterError(f"the cluster has dropped the tasks: run again with {RESUME}", hints=[RESUME])

    def end(self) -> None:
        """Drop what has not begun, and wait for what has: nobody may clean up before."""
        with contextlib.suppress(Exception):
            self.executor.client.cancel(list(self.futures))
            while any(n for n in self.executor.each(stop_tasks, self.token).values() if isinstance(n, int)):
                time.sleep(0.05)


def _named(task: str, failure: Failure) -> Exception:
    """The error of a task that was not to be done, with its name."""
    error = failure.error
    if isinstance(error, NgffsegError):
        kind: type[NgffsegError] = type(error)
    else:
        kind = StoreError if isinstance(error, OSError) else ClusterError
    text = str(error) if isinstance(error, NgffsegError | OSError) else f"{type(error).__name__}: {error}"
    where = f" on worker {failure.worker}" if failure.worker else ""
    made = kind(f"{task} failed{where}: {text}")
    made.__cause__ = error
    return made
