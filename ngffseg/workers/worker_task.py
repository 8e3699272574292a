"""A task on a worker of a cluster, and what that worker keeps between tasks."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from typing import Any

from ngffseg.errors import NgffsegError, StoreError
from ngffseg.workers.executor import Work

# Tasks that are being done in this process, by the token of their work, and that work.
_begun: Counter[str] = Counter()
_known: dict[str, Work[Any, Any]] = {}
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Failure:
    """A task that has failed on a worker.

    ``final`` tells that it would fail anywhere.
    """

    worker: str
    error: BaseException
    final: bool


@dataclass(frozen=True, slots=True)
class Packed:
    """Work as it lies on the workers of a cluster."""

    token: str
    work: Work[Any, Any]


def unpacked(token: str, work: Work[Any, Any]) -> Packed:
    """Work that has arrived on a worker; others fetch it from there."""
    return Packed(token, work)


def do_task(packed: Packed, task: Any, *handed: Any) -> Any:
    """Do a task, perhaps with what was computed for it; its result, or a `Failure`."""
    import distributed

    with _lock:
        _begun[packed.token] += 1
        _known[packed.token] = packed.work
    try:
        work: Any = packed.work
        return work(task, *handed)
    except Exception as error:
        final = isinstance(error, NgffsegError) and not isinstance(error, StoreError)
        return Failure(distributed.get_worker().address, error, final)
    finally:
        with _lock:
            _begun[packed.token] -= 1
            if not _begun[packed.token]:
                del _begun[packed.token], _known[packed.token]


def stop_tasks(token: str) -> int:
    """Number of tasks of a work that are being done in this process; they are asked to end."""
    with _lock:
        if token in _known:
            _known[token].stop()
        return _begun.get(token, 0)
