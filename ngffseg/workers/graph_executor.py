"""`GraphExecutor`: threads that do tasks on blocks of a dask array in one run of its graph."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Generator, Iterable
from queue import SimpleQueue
from typing import Any

import dask.array as da
import dask.threaded
import numpy as np
from dask.callbacks import Callback

from ngffseg.grid import Index
from ngffseg.workers.executor import HandedWork, R, T
from ngffseg.workers.threads import ThreadExecutor, ended_pool


class GraphExecutor:
    """Threads of this process; what a task reads is computed for it, and no task of the graph runs twice.

    Parameters
    ----------
    blocks
        What is computed.
    index
        Index of the block that a task reads.
    count
        Number of threads; by default as many as cores.
    """

    elsewhere = False

    def __init__(self, blocks: da.Array, index: Callable[[Any], Index], count: int | None = None) -> None:
        self.blocks, self.index, self.count = blocks, index, ThreadExecutor(count).count

    def run(self, work: HandedWork[T, R], tasks: Iterable[T]) -> Generator[tuple[T, R], None, None]:
        """Do all tasks, and give each with its result as it is done."""
        waiting = {self.index(task): task for task in tasks}
        done: SimpleQueue[tuple[T, R] | BaseException] = SimpleQueue()
        stopped = threading.Event()
        driver = threading.Thread(target=self._drive, args=(work, waiting, done, stopped), daemon=True)
        driver.start()
        left = len(waiting)
        try:
            while left:
                found = done.get()
                if isinstance(found, BaseException):
                    raise found
                left -= 1
                yield found
        finally:
            if left:
                stopped.set()
                work.stop()
            driver.join()  # nobody may clean up while threads still write

    def each(self, call: Any, *arguments: Any) -> dict[str, Any]:  # noqa: ARG002
        """There is no other process."""
        return {}

    def _drive(
        self,
        work: HandedWork[Any, Any],
        waiting: dict[Index, Any],
        done: SimpleQueue[Any],
        stopped: threading.Event,
    ) -> None:
        """Run the graph; tasks that are done, or what has become of them, go into the queue."""

        def do(labels: Any, block_id: Index) -> Any:
            """Do the task of a block."""
            task = waiting[block_id]
            done.put((task, work(task, labels)))
            return np.ones((1,) * labels.ndim, bool)

        def check(*_: Any) -> None:
            """Have no further task of the graph begin."""
            if stopped.is_set():
                raise InterruptedError

        try:
            name = f"ngffseg-{uuid.uuid4().hex}"
            blank = np.empty((0,) * self.blocks.ndim, bool)
            made = {"name": name, "dtype": bool, "chunks": (1,) * blank.ndim, "meta": blank}
            ends: Any = da.map_blocks(do, self.blocks, **made)  # type: ignore[no-untyped-call]
            keys: list[Any] = [(name, *index) for index in waiting]
            graph = ends.__dask_optimize__(ends.__dask_graph__(), keys)
            callbacks = [*Callback.active, (None, None, check, None, None)]
            with ended_pool(self.count, work.stop) as pool:
                dask.threaded.get(graph, keys, pool=pool, num_workers=self.count, callbacks=callbacks)
        except BaseException as error:
            done.put(error)
