"""`UploadQueue`: writes that are on their way to a server, a few at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

# Enough to hide the distance of a server; each holds the bytes of one object.
WRITES = 16


class UploadQueue:
    """Runs calls in threads of its own; whoever comes next is told of the first that failed.

    Where it travels to it is empty.
    """

    def __init__(self) -> None:
        self._turns, self._lock = threading.BoundedSemaphore(WRITES), threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._error: BaseException | None = None

    def __reduce__(self) -> tuple[type[UploadQueue], tuple[()]]:
        return UploadQueue, ()

    def run(self, call: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Have a call made, as soon as there is room for it.

        Raises
        ------
        Exception
            That of an earlier call, if one has failed.
        """
        self._turns.acquire()
        with self._lock:
            if self._error is not None:
                self._turns.release()
                raise self._error
            if self._pool is None:
                self._pool = ThreadPoolExecutor(WRITES)
            future = self._pool.submit(call, *arguments)
        future.add_done_callback(self._done)
        return future

    def _done(self, call: Future[Any]) -> None:
        self._error = self._error or call.exception()
        self._turns.release()

    def flush(self) -> None:
        """Wait until all calls are done.

        Raises
        ------
        Exception
            That of the first call that has failed, which is forgotten then.
        """
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True)
        error, self._error = self._error, None
        if error is not None:
            raise error
