"""`JobRecord`: what a write in progress says of itself, so that a later run can go on with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ngffseg.errors import MetadataError
from ngffseg.ngff.migration import current, schema_id
from ngffseg.ngff.schema import schema_violations

KIND = "job"
# Per pass the level that is read, None for the labels themselves, and those that are written.
PassRecord = tuple[int | None, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Move:
    """A folder that is about to be moved, or exchanged with what lies in its place.

    Parameters
    ----------
    staged
        Path of the folder before.
    inode
        Its number in the file system, by which it is known wherever it lies.
    """

    staged: str
    inode: int


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A write in progress.

    Parameters
    ----------
    name
        Name of the segmentation.
    software
        Version of ngffseg.
    plan
        Digest of all that was decided.
    source
        Digest of the labels that are read; None for those that have none and are compared instead.
    options
        The options that were given, for people to compare.
    aside
        Whether all is written below the job, and moved to its place.
    prefix
        Stands before the paths of the levels.
    passes
        Passes over the data of each label image, by name.
    paths
        What the job makes in place.
    moves
        What it is about to publish on a local disk, by the path of its place.
    generation
        That of the document which says that it is published.
    """

    name: str
    software: str
    plan: str
    source: str | None
    options: Mapping[str, Any]
    aside: bool = True
    prefix: str = ""
    passes: Mapping[str, tuple[PassRecord, ...]] = field(default_factory=dict)
    paths: tuple[str, ...] = ()
    moves: Mapping[str, Move] = field(default_factory=dict)
    generation: int = 0


def encode_job(record: JobRecord) -> dict[str, Any]:
    """The record as JSON."""
    passes = {
        name: [{"source": source, "targets": list(targets)} for source, targets in passes]
        for name, passes in record.passes.items()
    }
    return {"schema": schema_id(KIND)} | asdict(record) | {"passes": passes, "paths": list(record.paths)}


def decode_job(encoded: Mapping[str, Any]) -> JobRecord:
    """The record of `encode_job`.

    Raises
    ------
    MetadataError
        If it breaks its schema.
    """
    migrated = current(encoded, KIND)
    broken = schema_violations(migrated, f"ngffseg/{KIND}")
    if broken:
        raise MetadataError(
            f"the record of a job breaks its schema at {broken[0].where or '/'}: {broken[0].rule}"
        )
    del migrated["schema"]
    passes = {
        # JSON has no integers of its own: 1.0 is one by its schema.
        name: tuple((_whole(p["source"]), tuple(map(int, p["targets"]))) for p in passes)
        for name, passes in migrated["passes"].items()
    }
    moves = {place: Move(**move) for place, move in migrated["moves"].items()}
    return JobRecord(**{**migrated, "passes": passes, "paths": tuple(migrated["paths"]), "moves": moves})


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)
