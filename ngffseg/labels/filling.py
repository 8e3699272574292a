"""Filling the levels of a label image: blocks by a crew, what was counted into the index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import dask.array as da
import numpy as np
from dask.highlevelgraph import MaterializedLayer

from ngffseg import ngff
from ngffseg.chunks import StoredLabels
from ngffseg.errors import ClusterError
from ngffseg.labels.comparison import check_unchanged
from ngffseg.labels.index import write_index
from ngffseg.labels.job import Job
from ngffseg.labels.lazy import source_labels, stored_array
from ngffseg.labels.progress import BlockCounter
from ngffseg.labels.record import RECORD
from ngffseg.labels.shield import shielded
from ngffseg.pyramid import Census, PyramidPlan, build_pyramid, level0_alone
from ngffseg.store import local_path, place_of, read_objects, store_url
from ngffseg.workers import Crew, ThreadCrew

# Bytes in the graph of a dask array that are too many to be sent to all workers.
LARGE = 2**23


def fill_levels(
    job: Job,
    crew: Crew,
    name: str,
    plan: PyramidPlan,
    labels: Any,
    targets: Sequence[StoredLabels],
    count: BlockCounter,
    version: ngff.Version,
) -> None:
    """Fill all levels of a plan that are not filled yet, and write the index of their labels.

    Parameters
    ----------
    job
        The job; what it has done before is not done again.
    crew
        Who does it.
    name
        Name of the label image.
    plan
        Its plan, after `fitted_plan` and `with_level0`.
    labels
        What the first pass reads.
    targets
        Its levels.
    count
        Counts the blocks.
    version
        NGFF version of the store.
    """
    ledger = job.ledger(name, plan)
    here = crew.elsewhere and not travels(labels)
    with Census(plan) as census:
        if job.resumed:
            ledger.load(census)
            if job.record.source is None:
                check_unchanged(job.url, plan, ledger, labels, targets[0])
        build_pyramid(
            plan,
            source_labels(labels),
            targets,
            crew,
            first=ThreadCrew() if here else None,
            progress=count,
            census=census,
            ledger=ledger,
        )
        with shielded():
            write_index(job, name, plan.levels[0], census, targets[0], version)


def with_level0(plan: PyramidPlan, path: str) -> PyramidPlan:
    """The plan with level 0 at this path, as the metadata will name it."""
    return replace(plan, levels=(replace(plan.levels[0], path=path), *plan.levels[1:]))


def plan_for(crew: Crew, plan: PyramidPlan, labels: Any) -> PyramidPlan:
    """The plan for a crew: where labels cannot travel to it, level 0 is written here, by itself."""
    if not crew.elsewhere or travels(labels) or plan.passes[0].source is not None:
        return plan
    return level0_alone(plan)


def travels(labels: Any) -> bool:
    """Whether processes elsewhere can read labels by themselves."""
    if isinstance(labels, da.Array):
        return _held_bytes(labels) < LARGE
    array = stored_array(labels)
    return isinstance(labels, StoredLabels) or (array is not None and store_url(array.store) is not None)


def _held_bytes(labels: da.Array) -> int:
    """Bytes of arrays in memory that a dask array is made of, which would travel with its graph."""
    layers = [layer for layer in labels.dask.layers.values() if isinstance(layer, MaterializedLayer)]
    values = (getattr(value, "value", value) for layer in layers for value in layer.values())
    return sum(value.nbytes for value in values if isinstance(value, np.ndarray))


def check_reach(crew: Crew, job: Job, sources: Sequence[Any]) -> None:
    """Refuse stores that workers elsewhere cannot reach, before any work.

    Raises
    ------
    ClusterError
        If one cannot, with what it is and which worker.
    """
    if not crew.elsewhere:
        return
    _check_seen(crew, job.url, f"{job.folder}/{RECORD}")
    for source in sources:
        array = stored_array(source)
        url = store_url(array.store) if array is not None else None
        if array is not None and url is not None:
            file = "zarr.json" if array.metadata.zarr_format == 3 else ".zarray"
            _check_seen(crew, url, f"{array.path}/{file}".lstrip("/"))


def _check_seen(crew: Crew, url: str, key: str) -> None:
    for worker, seen in crew.each(_sees, place_of(url), key).items():
        if isinstance(seen, BaseException):
            raise ClusterError(f"worker {worker} cannot read {url}: {seen}") from seen
        if not seen:
            kind = "on the disk of this machine" if local_path(url) is not None else "in this process"
            raise ClusterError(
                f"worker {worker} cannot see {url}, which is {kind}: give a folder that all machines share, or"
                " an s3:// address"
            )


def _sees(where: Any, key: str) -> bool:
    """Whether this process sees an object of a store."""
    return read_objects(where, [key])[0] is not None
