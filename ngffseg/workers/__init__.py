"""Who does the work: threads of this process, or the workers of a dask cluster."""

from ngffseg.workers.crew import Crew, Work
from ngffseg.workers.dask_crew import DaskCrew
from ngffseg.workers.feed import Feed, OnClient, client_of
from ngffseg.workers.graph_crew import GraphCrew
from ngffseg.workers.opening import CLUSTER, Cluster, open_crew
from ngffseg.workers.threads import ThreadCrew, dask_threads

__all__ = [
    "CLUSTER",
    "Cluster",
    "Crew",
    "DaskCrew",
    "Feed",
    "GraphCrew",
    "OnClient",
    "ThreadCrew",
    "Work",
    "client_of",
    "dask_threads",
    "open_crew",
]
