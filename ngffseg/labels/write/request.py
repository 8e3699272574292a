"""`Request`: a write that somebody asks for; `Prepared`: what is decided about it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version as package_version

from zarr.abc.store import Store

from ngffseg.labels.jobs.ownership import job_id
from ngffseg.labels.jobs.progress import Progress
from ngffseg.labels.plan.fingerprint import recorded_options
from ngffseg.labels.plan.options import WriteOptions
from ngffseg.labels.plan.write_plan import WritePlan
from ngffseg.labels.read.group_snapshot import GroupSnapshot
from ngffseg.model import Segmentation, Volume
from ngffseg.ngff import JobRecord


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be written, and how.

    Parameters
    ----------
    address, name
        Address of the store, and name of the label image.
    segmentation, image
        The labels, and the image that they belong to.
    options
        See `WriteOptions`.
    overwrite
        Whether a label image of this name may be replaced.
    fingerprint
        Changes with the files that the labels were read from.
    progress
        Called after each block.
    """

    address: str
    name: str
    segmentation: Segmentation
    image: Volume | None
    options: WriteOptions
    overwrite: bool
    fingerprint: str | None
    progress: Progress | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that is decided about a request, and what was found in the store.

    Parameters
    ----------
    request
        The request.
    snapshot
        What the store said of itself, before anything was decided.
    write_plan
        Plans and metadata.
    exists
        Whether there is a label image of this name.
    done
        Whether it is what would be written.
    """

    request: Request
    snapshot: GroupSnapshot
    write_plan: WritePlan
    exists: bool
    done: bool

    @property
    def record(self) -> JobRecord:
        """What the job says of itself."""
        made = self.write_plan.document.made
        assert made is not None
        return JobRecord(
            name=self.request.name,
            software=package_version("ngffseg"),
            plan=str(made["plan"]),
            source=made["source"],
            options=recorded_options(self.request.options),
        )

    @property
    def store(self) -> Store:
        """The store."""
        return self.snapshot.store

    @property
    def job(self) -> str:
        """Id of the job."""
        return job_id(self.record)
