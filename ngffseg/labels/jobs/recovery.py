"""What a run that died while it published has left half done.

On a local disk a job is published by moving its folders to their places, one by one, and by one write of
the register. Until that is done nobody knows them, so they are moved back: the store is as it was, and
the job whole again, for a later run to go on with or to remove. Only an image that its group names already
stays: it is whole without labels. On an object store what is registered is published; the rest follows from it.
"""

from __future__ import annotations

from zarr.abc.store import Store

from ngffseg.labels.jobs.ownership import jobs_of
from ngffseg.labels.jobs.record import read_record
from ngffseg.labels.nodes.paths import JOBS
from ngffseg.labels.nodes.transaction import move_back
from ngffseg.labels.read.group_snapshot import GroupSnapshot, take_snapshot
from ngffseg.labels.read.image_group import document_of
from ngffseg.labels.registry.object_store import update_registry
from ngffseg.labels.registry.references import level_paths
from ngffseg.ngff import JobRecord
from ngffseg.store import can_list, local_path, locked, remove, take_lease


def recover(store: Store, url: str, name: str, *, resume: bool) -> None:
    """Put right what runs that died have left of a segmentation.

    On an object store only to ``resume`` one: whoever writes does so anyway.

    Raises
    ------
    StoreError
        If the disk or the network fails.
    """
    if local_path(url) is None:
        if resume and can_list(url):
            update_registry(store, url)
        return
    for job in jobs_of(url, name):
        record = read_record(url, job)
        if record is None or not record.moves:
            continue
        lease = take_lease(url, f"{JOBS}/{job}")
        if lease is None:
            continue  # it lives
        try:
            with locked(url):
                snapshot = take_snapshot(store, url)
                if _is_published(snapshot, record):
                    remove(url, f"{JOBS}/{job}")
                    continue
                # Without its levels an image would be broken, and no write would ever be taken again.
                image = level_paths(snapshot.attributes(""))
                for place, known in reversed(list(record.moves.items())):
                    if place not in image:
                        move_back(url, place, known.staged, known.inode)
        finally:
            lease.release()


def _is_published(snapshot: GroupSnapshot, record: JobRecord) -> bool:
    """Return True if the register knows what the job has made, or something newer."""
    there = document_of(snapshot.image_group, record.name)
    return there is not None and there.generation >= record.generation
