"""Filling the levels of a label image: blocks by an executor, what was counted into the index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import zarr

from ngffseg import ngff
from ngffseg.chunks import StoredLabels
from ngffseg.errors import ClusterError
from ngffseg.labels.index.write import object_sizes, write_counted
from ngffseg.labels.jobs.interrupts import defer_interrupts
from ngffseg.labels.jobs.job import Job
from ngffseg.labels.jobs.progress import BlockCounter
from ngffseg.labels.jobs.record import RECORD
from ngffseg.labels.jobs.staging import Staging
from ngffseg.labels.jobs.unchanged import check_unchanged
from ngffseg.labels.nodes.create import array_document, create_array
from ngffseg.labels.read.lazy_level import LazyLevel, stored_array
from ngffseg.labels.read.levels import written_labels
from ngffseg.labels.write.reading import Reading
from ngffseg.pyramid import LabelStatistics, Level, PyramidPlan, build_pyramid
from ngffseg.store import inside, local_path, place_of, read_objects, store_url
from ngffseg.workers import Executor


def create_levels(
    staging: Staging, name: str, plan: PyramidPlan, version: ngff.Version
) -> tuple[dict[str, Any], list[StoredLabels]]:
    """Make the empty arrays of a label image, all metadata before any chunk.

    Returns
    -------
    dict, list
        Metadata of the arrays by path, and their chunks, to be written.
    """
    group = staging.label_path(name)
    paths = [staging.level_prefix + level.path for level in plan.levels]
    made = [
        create_array(staging.url, f"{group}/{path}", level, plan, version)
        for path, level in zip(paths, plan.levels, strict=True)
    ]
    documents = {path: array_document(array) for path, array in zip(paths, made, strict=True)}
    return documents, [written_labels(array, staging.scratch) for array in made]


def fill_levels(
    job: Job,
    reading: Reading,
    name: str,
    plan: PyramidPlan,
    targets: Sequence[StoredLabels],
    count: BlockCounter,
    version: ngff.Version,
) -> dict[str, Any]:
    """Fill all levels of a plan that are not filled yet, and write the index of their labels.

    Parameters
    ----------
    job
        The job; what it has done before is not done again.
    reading
        What the first pass reads, and who does it.
    name
        Name of the label image.
    plan
        Its plan, after `fitted_plan` and `with_level0`.
    targets
        Its levels.
    count
        Counts the blocks.
    version
        NGFF version of the store.

    Returns
    -------
    dict
        Attributes of the group of the index.
    """
    checkpoint_log = job.checkpoint_log(name, plan)
    source, first = reading.begin(plan)
    with LabelStatistics(plan) as statistics:
        if job.resumed:
            checkpoint_log.load(statistics)
            if job.record.source is None:
                check_unchanged(job.url, plan, checkpoint_log, reading.labels, targets[0])
        build_pyramid(
            plan,
            source,
            targets,
            reading.executor,
            first=first,
            progress=count,
            statistics=statistics,
            checkpoint_log=checkpoint_log,
        )
        with defer_interrupts():
            return _write_index(job, name, plan.levels[0], statistics, targets[0], version)


def _write_index(
    job: Job,
    name: str,
    level: Level,
    statistics: LabelStatistics,
    stored: StoredLabels | LazyLevel | zarr.Array[Any],
    version: ngff.Version,
) -> dict[str, Any]:
    """Write the index of one label image aside; it is published with the labels.

    Parameters
    ----------
    name
        Name of the label image.
    level
        Level 0, which was counted; its path as the metadata will name it.
    statistics
        Its labels.
    stored
        Level 0 as it is stored, complete.
    """
    staging = job.staging
    path = staging.index_path(name)
    sizes = object_sizes(job.url, f"{staging.label_path(name)}/{level.path}", stored)
    layout = write_counted(inside(job.url, path), staging.level_prefix, level, statistics, sizes, version)
    attributes = ngff.encode_index(layout)
    job.describe(path, version, attributes)
    return attributes


def with_level0(plan: PyramidPlan, path: str) -> PyramidPlan:
    """The plan with level 0 at this path, as the metadata will name it."""
    return replace(plan, levels=(replace(plan.levels[0], path=path), *plan.levels[1:]))


def check_reach(executor: Executor, job: Job, sources: Sequence[Any]) -> None:
    """Refuse stores that workers elsewhere cannot reach, before any work.

    Raises
    ------
    ClusterError
        If one cannot, with what it is and which worker.
    """
    if not executor.elsewhere:
        return
    _check_seen(executor, job.url, f"{job.staging.folder}/{RECORD}")
    for source in sources:
        array = stored_array(source)
        url = store_url(array.store) if array is not None else None
        if array is not None and url is not None:
            file = "zarr.json" if array.metadata.zarr_format == 3 else ".zarray"
            _check_seen(executor, url, f"{array.path}/{file}".lstrip("/"))


def _check_seen(executor: Executor, url: str, key: str) -> None:
    for worker, seen in executor.each(_sees, place_of(url), key).items():
        if isinstance(seen, BaseException):
            raise ClusterError(f"worker {worker} cannot read {url}: {seen}") from seen
        if not seen:
            kind = "on the disk of this machine" if local_path(url) is not None else "in this process"
            raise ClusterError(
                f"worker {worker} cannot see {url}, which is {kind}: give a folder that all machines share, or"
                " an s3:// address"
            )


def _sees(where: Any, key: str) -> bool:
    """Return True if this process sees an object of a store."""
    return read_objects(where, [key])[0] is not None
