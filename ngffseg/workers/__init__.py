"""Who does the work: threads of this process, or the workers of a dask cluster."""

from ngffseg.workers.dask_executor import DaskExecutor
from ngffseg.workers.executor import Executor, Work
from ngffseg.workers.feed import Feed, OnClient, client_of
from ngffseg.workers.graph_executor import GraphExecutor
from ngffseg.workers.opening import CLUSTER, Cluster, open_executor
from ngffseg.workers.threads import ThreadExecutor, dask_threads

__all__ = [
    "CLUSTER",
    "Cluster",
    "DaskExecutor",
    "Executor",
    "Feed",
    "GraphExecutor",
    "OnClient",
    "ThreadExecutor",
    "Work",
    "client_of",
    "dask_threads",
    "open_executor",
]
