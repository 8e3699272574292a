"""Dask arrays whose blocks a cluster computes, and those that lie on one already."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ngffseg.dask_arrays import is_dask_array, lazy_array
from ngffseg.errors import ClusterError
from ngffseg.grid import Index

if TYPE_CHECKING:
    import dask.array as da
    import distributed

CLOSED = (
    "the labels or the image are a dask array that was persisted on a cluster, and its client is closed or has dropped"
    " them: keep the client open until they are written, or persist them again"
)


class Feed:
    """What tasks read: blocks of a dask array, computed by a cluster as its tasks are begun.

    Parameters
    ----------
    client
        The cluster.
    blocks
        What is computed.
    index
        Index of the block that a task reads.
    whole
        Whether blocks have tasks in common: then all are computed in one go, so that none of them runs twice.
    """

    def __init__(
        self, client: distributed.Client, blocks: da.Array, index: Callable[[Any], Index], *, whole: bool
    ) -> None:
        self.client, self.blocks, self.index, self.whole = client, blocks, index, whole
        self._futures: dict[Any, Any] | None = None

    def __call__(self, task: Any) -> Any:
        """The future of the block of a task, of which no other reference is kept."""
        index = self.index(task)
        if not self.whole:
            return self.client.compute(self.blocks.blocks[index])
        if self._futures is None:
            persisted = self.client.persist(self.blocks)
            self._futures = {future.key: future for future in _futures(persisted)}
        return self._futures.pop((self.blocks.name, *index))

    def drop(self) -> None:
        """Let go of what no task has begun to read."""
        self._futures = {}


class OnClient:
    """A dask array with parts that lie on a cluster, read when it is sliced.

    Parameters
    ----------
    labels
        The array.
    whole
        Whether its pieces have tasks in common: then all of it is computed on the cluster when the first is read.
    """

    def __init__(self, labels: da.Array, *, whole: bool = False) -> None:
        client = client_of(labels)
        assert client is not None, "no part of it lies on a cluster"
        self.client = client
        self.labels = client.persist(labels) if whole else labels
        self.shape, self.dtype, self.ndim, self.chunks = (
            labels.shape,
            labels.dtype,
            labels.ndim,
            labels.chunksize,
        )

    def __getitem__(self, box: Any) -> npt.NDArray[Any]:
        try:
            return np.asarray(self.client.compute(self.labels[box]).result())
        except CancelledError as error:
            raise ClusterError(CLOSED) from error

    def dask(self) -> da.Array:
        """The array for schedulers of this process, which know nothing of what lies on the cluster."""
        return lazy_array(self, self.labels.chunks)


def client_of(labels: Any) -> distributed.Client | None:
    """The client on which parts of a dask array were persisted; None where it has no such parts.

    Raises
    ------
    ClusterError
        If it is closed, or has dropped them.
    """
    clients = sys.modules.get("distributed")  # who has persisted anything has imported it
    if clients is None or not is_dask_array(labels):
        return None
    futures = _futures(labels)
    if not futures:
        return None
    client: distributed.Client = futures[0].client
    if client.status != "running" or any(future.status in ("cancelled", "lost") for future in futures):
        raise ClusterError(CLOSED)
    return client


def _futures(labels: da.Array) -> list[Any]:
    """All futures in the graph of an array; layers that are made from a rule hold none."""
    clients = sys.modules["distributed"]
    found: list[Any] = []
    for layer in labels.dask.layers.values():
        if not layer.is_materialized():
            found += clients.futures_of([dep for dep in getattr(layer, "indices", ()) if dep[1] is None])
        else:
            found += clients.futures_of(dict(layer))
    return found
