"""`Publisher`: makes what a job has written visible, so that readers see all of it or nothing."""

from __future__ import annotations

from typing import Protocol

from ngffseg.labels.jobs.job import Job
from ngffseg.labels.jobs.written import Written
from ngffseg.labels.plan.write_plan import WritePlan
from ngffseg.labels.publish.local import FolderPublisher
from ngffseg.labels.publish.object_store import ObjectStorePublisher
from ngffseg.store import local_path


class Publisher(Protocol):
    """Publishes one job, whose arrays are all written."""

    def publish(self, written: Written) -> None:
        """Publish the label images of the job, the register of names last.

        Raises
        ------
        LabelExistsError
            If another writer has published the name meanwhile.
        UsageError, MetadataError
            If another writer has published an image meanwhile that the labels do not fit.
        StoreError
            If the disk or the network fails: nothing is published then, or the error says that it is.
        """


def publisher_of(job: Job, write_plan: WritePlan, *, overwrite: bool) -> Publisher:
    """The publisher for the kind of store that a job writes to."""
    kind = FolderPublisher if local_path(job.url) is not None else ObjectStorePublisher
    return kind(job, write_plan, overwrite=overwrite)
