"""Opening whoever is to do the work: threads, processes of this machine, or a cluster that is there."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from ngffseg.errors import ClusterError, UsageError
from ngffseg.keywords import ValueKind
from ngffseg.workers.dask_executor import DaskExecutor
from ngffseg.workers.executor import Executor
from ngffseg.workers.threads import ThreadExecutor

if TYPE_CHECKING:
    import distributed

# Threads of this process, an address of a scheduler, or a client of whatever cluster.
Cluster: TypeAlias = "str | distributed.Client | None"


def _cluster(value: Any) -> Any:
    # Who has a client has imported distributed, which takes half a second.
    clients = sys.modules.get("distributed")
    if not (value is None or isinstance(value, str) or (clients and isinstance(value, clients.Client))):
        raise TypeError
    return value


CLUSTER = ValueKind("an address, 'threads', 'processes', a distributed.Client, or None", _cluster)
# Seconds for a scheduler to answer.
ANSWER = 8.0


@contextlib.contextmanager
def open_executor(cluster: Cluster = None, workers: int | None = None) -> Iterator[Executor]:
    """Whoever is to do the work.

    Parameters
    ----------
    cluster
        None or "threads" for threads of this process; "processes" for a cluster of processes on this
        machine; the address of a dask scheduler; or a `distributed.Client`, which stays open.
    workers
        Number of threads, or of processes, by default that of the cores. Without ``cluster`` it is
        a number of processes.

    Raises
    ------
    UsageError
        If a number of workers is given for a cluster that has its own.
    ClusterError
        If the scheduler does not answer, or its workers cannot do the work.
    """
    if cluster == "threads" or (cluster is None and workers is None):
        yield ThreadExecutor(workers)
        return
    if cluster not in (None, "processes") and workers is not None:
        raise UsageError("the cluster has its own workers: leave the number of workers out")
    with _client(cluster, workers) as client:
        executor = DaskExecutor(client)
        executor.check()
        yield executor


@contextlib.contextmanager
def _client(cluster: Cluster, workers: int | None) -> Iterator[distributed.Client]:
    # Imported here: it takes half a second, which threads need not pay.
    import distributed

    if cluster is not None and not isinstance(cluster, str):
        yield cluster
        return
    if cluster in (None, "processes"):
        local = distributed.LocalCluster(
            n_workers=workers, threads_per_worker=1, dashboard_address="127.0.0.1:0", host="127.0.0.1"
        )
        with local, distributed.Client(local, set_as_default=False) as client:
            yield client
        return
    try:
        try:
            client = distributed.Client(cluster, timeout=ANSWER, set_as_default=False)
        except AssertionError:
            # distributed waits 10 s for its thread to begin, and asserts that it has: a busy machine may be late.
            client = distributed.Client(cluster, timeout=ANSWER, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise ClusterError(
            f"{cluster}: no dask scheduler answers there ({type(error).__name__}): check the address, or start"
            " one, as by: dask scheduler"
        ) from error
    with client:
        yield client
