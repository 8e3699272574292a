"""`Reading`: how the labels of a layer are read in the first pass, and who does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

# What only arrays of dask need is loaded where one is given.
from ngffseg import pyramid, workers
from ngffseg.chunks import StoredLabels
from ngffseg.dask_arrays import is_dask_array
from ngffseg.labels.read.lazy_level import source_labels, stored_array
from ngffseg.pyramid import BlockExecutor, HandedLabels, PyramidPlan, level0_alone
from ngffseg.store import store_url
from ngffseg.workers import DaskExecutor, Executor, Feed, OnClient, ThreadExecutor, client_of

if TYPE_CHECKING:
    import distributed

# Bytes in the graph of a dask array that are too many to be sent to all workers.
LARGE = 2**23


@dataclass(frozen=True, slots=True)
class Reading:
    """How labels are read.

    Parameters
    ----------
    labels
        As they came.
    executor
        Who does the other passes.
    there
        Whether those who do them can read the labels by themselves.
    shared
        Whether they are a dask array whose pieces have tasks in common.
    client
        The client on which parts of them were persisted.
    """

    labels: Any
    executor: Executor
    there: bool
    shared: bool = False
    client: distributed.Client | None = None

    @property
    def _is_fed(self) -> bool:
        """Return True if what blocks read is computed for them, each task once, instead of piece by piece."""
        return self.shared if self.client is None else self.there and self.executor.elsewhere

    def plan(self, plan: PyramidPlan) -> PyramidPlan:
        """The plan for it: where blocks are computed as a whole, or here, level 0 is written by itself."""
        if plan.passes[0].source is not None:
            return plan
        alone = self._is_fed or (self.executor.elsewhere and not self.there)
        return level0_alone(plan) if alone else plan

    def begin(self, plan: PyramidPlan) -> tuple[Any, BlockExecutor | None]:
        """What the first pass of a plan reads, and who does it if not the executor of the others."""
        here = ThreadExecutor() if self.executor.elsewhere and not self.there else None
        if not self._is_fed:
            labels = self.labels if self.client is None else OnClient(self.labels, whole=self.shared)
            return source_labels(labels), here
        handed = HandedLabels(plan)
        # Another way to rechunk needs a cluster, and would be taken wherever there is one.
        blocks = self.labels.rechunk(handed.spans, method="tasks")
        if not isinstance(self.executor, DaskExecutor) or not self.there:
            return handed, workers.GraphExecutor(blocks, handed.index, getattr(self.executor, "count", None))
        client = self.client or self.executor.client
        return handed, DaskExecutor(client, Feed(client, blocks, handed.index, whole=self.shared))


def reading_of(executor: Executor, plan: PyramidPlan, labels: Any) -> Reading:
    """How labels are read for a plan by an executor.

    Raises
    ------
    ClusterError
        If they were persisted on a client that is closed.
    """
    if not is_dask_array(labels):
        return Reading(labels, executor, _travels(labels))
    client = client_of(labels)
    there = pyramid.held_bytes(labels) < LARGE and (client is None or _is_same(executor, client))
    return Reading(labels, executor, there, pyramid.shares_tasks(labels, plan), client)


def _is_same(executor: Executor, client: distributed.Client) -> bool:
    """Return True if an executor is the cluster of a client."""
    if (
        not isinstance(executor, DaskExecutor)
        or executor.client.scheduler is None
        or client.scheduler is None
    ):
        return False
    return executor.client is client or executor.client.scheduler.address == client.scheduler.address


def _travels(labels: Any) -> bool:
    """Return True if processes elsewhere can read labels by themselves."""
    array = stored_array(labels)
    return isinstance(labels, StoredLabels) or (array is not None and store_url(array.store) is not None)
