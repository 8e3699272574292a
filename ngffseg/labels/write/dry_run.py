"""`Forecast`: what a write would do, given what is there already; nothing is written."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Unpack

from ngffseg.keywords import strict
from ngffseg.labels.jobs.checkpoint_files import checkpoints_of
from ngffseg.labels.jobs.checkpoints import CheckpointLog
from ngffseg.labels.jobs.ownership import resumable_job
from ngffseg.labels.jobs.record import read_record
from ngffseg.labels.jobs.staging import fitted_plan
from ngffseg.labels.nodes.paths import JOBS
from ngffseg.labels.plan.fingerprint import options_digest
from ngffseg.labels.plan.options import WRITE_KEYWORDS, WriteOptions
from ngffseg.labels.read.address import split_address
from ngffseg.labels.read.image_group import document_of, find_image_group
from ngffseg.labels.write.prepare import look, prepare
from ngffseg.labels.write.request import Prepared, Request
from ngffseg.model import Segmentation, Volume
from ngffseg.pyramid import PyramidPlan
from ngffseg.store import open_store, store_errors


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a write would do.

    Parameters
    ----------
    plans
        Plan of each layer.
    finished
        Whether all is there already, and equal.
    done
        Blocks that an interrupted run has done.
    notes
        What people should know of how the labels come onto the grid of their image.
    """

    plans: tuple[PyramidPlan, ...]
    finished: bool
    done: int
    notes: tuple[str, ...] = ()

    @property
    def blocks(self) -> int:
        """Blocks in all."""
        return sum(plan.block_count for plan in self.plans)


@strict(WRITE_KEYWORDS)
def forecast(
    url: str | os.PathLike[str],
    segmentation: Segmentation,
    *,
    name: str,
    image: Volume | None = None,
    overwrite: bool = False,
    fingerprint: str | None = None,
    **options: Unpack[WriteOptions],
) -> Forecast:
    """What `write_segmentation` would do with these; it refuses what that would refuse."""
    address, _ = split_address(url, name)
    request = Request(address, name, segmentation, image, options, overwrite, fingerprint, None)
    with store_errors(address):
        prepared = prepare(request, look(address, name))
        if prepared.done or not options.get("resume", False):
            return Forecast(prepared.write_plan.plans, prepared.done, 0, prepared.write_plan.notes)
        return _unfinished(prepared)


@strict(WRITE_KEYWORDS)
def is_current(
    url: str | os.PathLike[str], name: str, fingerprint: str, **options: Unpack[WriteOptions]
) -> bool:
    """Return True if a segmentation is there that was written from this source with these options."""
    address, _ = split_address(url, name)
    with store_errors(address):
        image_group = find_image_group(open_store(address), address)
    there = document_of(image_group, name)
    wanted = {"source": fingerprint, "options": options_digest(options)}
    return there is not None and there.made is not None and wanted.items() <= dict(there.made).items()


def _unfinished(prepared: Prepared) -> Forecast:
    """What is left of an interrupted job."""
    address = prepared.request.address
    job = resumable_job(address, prepared.record)
    record = read_record(address, job) or prepared.record
    plans, done = [], 0
    for layer, plan in zip(prepared.write_plan.layers, prepared.write_plan.plans, strict=True):
        plans.append(fitted_plan(record, layer.name, plan))
        checkpoint_log = CheckpointLog(checkpoints_of(address, f"{JOBS}/{job}", layer.name), plans[-1])
        checkpoint_log.load(None)
        done += sum(int(blocks.sum()) for blocks in checkpoint_log.done)
    return Forecast(tuple(plans), finished=False, done=done, notes=prepared.write_plan.notes)
