"""`ThreadExecutor`: threads of this process."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

from ngffseg.dask_arrays import core_count
from ngffseg.workers.executor import R, T, Work


class ThreadExecutor:
    """Threads; by default as many as cores."""

    elsewhere = False

    def __init__(self, count: int | None = None) -> None:
        self.count = count or core_count()

    def run(self, work: Work[T, R], tasks: Iterable[T]) -> Generator[tuple[T, R], None, None]:
        """Do all tasks, and give each with its result as it is done."""
        done: SimpleQueue[tuple[T, Future[R]]] = SimpleQueue()
        with ended_pool(self.count, work.stop) as pool:
            begun = 0
            for task in tasks:
                future = pool.submit(work, task)
                future.add_done_callback(lambda future, task=task: done.put((task, future)))  # type: ignore[misc]
                begun += 1
                if begun > self.count:  # one waits for each thread
                    yield _result(done)
                    begun -= 1
            for _ in range(begun):
                yield _result(done)

    def each(self, call: Any, *arguments: Any) -> dict[str, Any]:  # noqa: ARG002
        """There is no other process."""
        return {}


def _result(done: SimpleQueue[tuple[T, Future[R]]]) -> tuple[T, R]:
    task, future = done.get()
    return task, future.result()


@contextlib.contextmanager
def ended_pool(count: int, stop: Callable[[], None]) -> Iterator[ThreadPoolExecutor]:
    """Threads that have all ended when the block is left.

    Nobody may clean up while threads still write: on any exception ``stop`` is called, what has
    not begun is dropped, and what has is waited for.
    """
    barrier = threading.Barrier(count)
    with ThreadPoolExecutor(count) as pool:
        try:
            # All threads start now: one that starts while an interrupt arrives is never waited for.
            list(pool.map(lambda _: barrier.wait(), range(count)))
            yield pool
        except BaseException:
            barrier.abort()
            stop()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


@contextlib.contextmanager
def dask_threads(count: int | None = None) -> Iterator[None]:
    """Have dask compute in threads that have all ended when the block is left."""
    import dask  # a tenth of a second, and only images are computed so

    threads = count or core_count()
    with (
        ended_pool(threads, lambda: None) as pool,
        dask.config.set(scheduler="threads", pool=pool, num_workers=threads),
    ):
        yield
