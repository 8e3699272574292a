"""`Ownership`: the sole right to do a job, which may have been begun by a run that died."""

from __future__ import annotations

import contextlib
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from zarr.abc.store import Store

from ngffseg import ngff
from ngffseg.errors import Hint, JobError
from ngffseg.labels.jobs.record import DIGEST, put_record, read_record
from ngffseg.labels.nodes.paths import JOBS
from ngffseg.labels.plan.fingerprint import digest
from ngffseg.labels.registry.object_store import update_registry
from ngffseg.labels.registry.references import referenced_paths
from ngffseg.ngff import JobRecord
from ngffseg.store import (
    Lease,
    await_lease,
    folder_names,
    list_objects,
    local_path,
    locked,
    read_objects,
    remove,
    take_lease,
)

ANEW = Hint("begin anew")


@dataclass(frozen=True, slots=True)
class Ownership:
    """The right to a job; ``record`` is what an earlier run of it has left."""

    name: str
    id: str
    lease: Lease
    record: JobRecord | None

    @property
    def prefix(self) -> str:
        """Stands before the paths of levels where those are taken."""
        return f"{self.id.removeprefix(f'{self.name}-')}-"

    def prefix_after(self, generation: int) -> str:
        """Stands before the paths of levels that replace those of a generation in place.

        The same job has the same id each time: the levels that are there may be those of an earlier run of it,
        and readers are at them.
        """
        other_run = self.prefix.count("-") > 1
        return self.prefix if other_run else f"{self.prefix}{generation:08x}-"

    @property
    def folder(self) -> str:
        """Folder of the job in the store."""
        return f"{JOBS}/{self.id}"


def write_record(url: str, ownership: Ownership, record: JobRecord) -> Ownership:
    """Have a job say what it is, before it makes anything."""
    put_record(url, ownership.id, record)
    return replace(ownership, record=record)


def take_ownership(store: Store, url: str, wanted: JobRecord, *, resume: bool) -> Ownership:
    """The right to do a job.

    Raises
    ------
    JobError
        If it is to be resumed, but another run is at it, or it was begun with other labels or options.
    """
    if resume:
        return _resumed(url, wanted)
    own = job_id(wanted)
    for job in jobs_of(url, wanted.name):
        clean_up(store, url, job)
    lease = take_lease(url, f"{JOBS}/{own}")
    if lease is None:  # another run is at the same job: who is first publishes it
        own = f"{own}-{uuid.uuid4().hex[:8]}"
        lease = take_lease(url, f"{JOBS}/{own}")
        assert lease is not None
    return Ownership(wanted.name, own, lease, None)


def resumable_job(url: str, wanted: JobRecord) -> str:
    """Id of the job that is to be resumed, or of a new one where none was begun.

    Raises
    ------
    JobError
        If it was begun with other labels or options.
    """
    own, known = job_id(wanted), jobs_of(url, wanted.name)
    same = [job for job in known if job.startswith(own)]
    if same:
        return same[0]
    for record in (read_record(url, job) for job in known):
        if record is not None:
            raise JobError(_difference(url, wanted, record), hints=[ANEW])
    return own


def _resumed(url: str, wanted: JobRecord) -> Ownership:
    job = resumable_job(url, wanted)
    lease = await_lease(url, f"{JOBS}/{job}")
    if lease is None:
        raise JobError(f"{url}: another run is writing {wanted.name!r} just now: wait for it, then run again")
    found = read_record(url, job)  # what the last holder has left by now
    if found is not None and found.software != wanted.software:
        lease.release()
        raise JobError(
            f"{url}: the unfinished job of {wanted.name!r} was begun by ngffseg {found.software}, this is"
            f" {wanted.software}: go on with that one, or run {ANEW} to begin anew",
            hints=[ANEW],
        )
    return Ownership(wanted.name, job, lease, found)


def _difference(url: str, wanted: JobRecord, found: JobRecord) -> str:
    """What keeps a job from being resumed."""
    anew = f"run {ANEW} to begin anew"
    begun = f"{url}: the unfinished job of {wanted.name!r} was begun with other"
    if found.source != wanted.source:
        return f"{begun} labels: the source has changed, {anew}"
    keys = sorted(
        k for k in {*found.options, *wanted.options} if found.options.get(k) != wanted.options.get(k)
    )
    if not keys:
        return f"{begun} segments, geometry or image: {anew}"
    changes = ", ".join(f"{k} {_text(found.options, k)} instead of {_text(wanted.options, k)}" for k in keys)
    return f"{begun} options ({changes}): give the same, or {anew}"


def _text(options: Mapping[str, Any], key: str) -> str:
    return ngff.encode_json(options[key]).decode() if key in options else "by default"


def job_id(wanted: JobRecord) -> str:
    """The same job has the same id, so that what is resumed ends as what was not interrupted."""
    return f"{wanted.name}-{digest([wanted.name, wanted.plan, wanted.source])[:12]}"


def jobs_of(url: str, name: str) -> list[str]:
    """Ids of all jobs of a segmentation that are under way or were left behind."""
    pattern = re.compile(f"{re.escape(name)}-{DIGEST}")
    return sorted(job for job in all_jobs(url) if pattern.fullmatch(job))


def all_jobs(url: str) -> set[str]:
    """Ids of all jobs of a store."""
    if local_path(url) is not None:
        return folder_names(url, JOBS)
    keys = list_objects(url, f"{JOBS}/")
    return {key.split("/")[2] for key in keys if key.count("/") > 2}


def clean_up(store: Store, url: str, job: str) -> None:
    """Remove what a dead run has left, but for what it has published."""
    if job not in all_jobs(url):
        return
    lease = take_lease(url, f"{JOBS}/{job}")
    if lease is None:
        return  # it lives
    removed = False
    try:
        lease.stop_heartbeat()
        with locked(url):  # nobody publishes meanwhile what metadata do not name yet
            _give_up(store, url, job, read_record(url, job))
        removed = True
    finally:
        lease.release(removed=removed)


def _give_up(store: Store, url: str, job: str, record: JobRecord | None) -> None:
    """Remove all traces of a job that nobody is going to finish."""
    if record is not None and record.paths:
        if local_path(url) is None:
            update_registry(store, url)  # what it has registered stays
        referenced = referenced_paths(store, record.paths)
        for path in record.paths:
            if path not in referenced:
                remove(url, path)
    if record is not None:
        free_reservation(url, record.name, job)
    remove(url, f"{JOBS}/{job}")


def free_reservation(url: str, name: str, job: str) -> None:
    """Give back the paths that a job has reserved on an object store, if any."""
    if local_path(url) is not None:
        return
    reservation = reservation_key(name)
    data = read_objects(url, [reservation])[0]
    with contextlib.suppress(ValueError):  # one that is damaged is not ours to remove
        if data is not None and json.loads(data) == {"job": job}:
            remove(url, reservation)


def reservation_key(name: str) -> str:
    """Key of the object that reserves the paths of a new label image on an object store."""
    return f"{JOBS}/{name}.json"
