"""Who does the work: threads of this process, or the workers of a dask cluster."""

from typing import TYPE_CHECKING

from ngffseg.face import lazy_face

if TYPE_CHECKING:
    from ngffseg.workers.dask_executor import DaskExecutor
    from ngffseg.workers.executor import Executor, Work
    from ngffseg.workers.feed import Feed, OnClient, client_of
    from ngffseg.workers.graph_executor import GraphExecutor
    from ngffseg.workers.opening import CLUSTER, Cluster, open_executor
    from ngffseg.workers.threads import ThreadExecutor, dask_threads
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "dask_executor": "DaskExecutor",
            "executor": "Executor Work",
            "feed": "Feed OnClient client_of",
            "graph_executor": "GraphExecutor",
            "opening": "CLUSTER Cluster open_executor",
            "threads": "ThreadExecutor dask_threads",
        },
    )

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
