"""Steps that publishing has in common, wherever a store lies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ngffseg import ngff
from ngffseg.errors import Hint, NgffsegError, StoreError, UsageError
from ngffseg.labels.jobs.job import Job
from ngffseg.labels.jobs.written import Written
from ngffseg.labels.nodes.consolidated import refresh_consolidated
from ngffseg.labels.nodes.paths import INDEX, LABELS, OWN
from ngffseg.labels.nodes.transaction import Transaction
from ngffseg.labels.plan.metadata import with_schemas
from ngffseg.labels.read.group_snapshot import GroupSnapshot, take_snapshot
from ngffseg.labels.read.image_group import ImageGroup, document_of
from ngffseg.labels.registry.references import index_paths, level_paths


def look_again(job: Job, document: ngff.Document, *further: str) -> GroupSnapshot:
    """What the store says of itself when a job is published: of all label images that this replaces, and ``further``."""
    paths = [f"{folder}/{name}" for name in document.layers for folder in (LABELS, INDEX)]
    return take_snapshot(job.store, job.url, [*paths, *further])


@contextmanager
def published(url: str, name: str) -> Iterator[None]:
    """Say of what fails from here on that the labels are there.

    Raises
    ------
    StoreError
        If it does.
    """
    try:
        yield
    except (NgffsegError, OSError) as error:
        hint = Hint("fix", url)
        raise StoreError(
            f"{url}: {name!r} is written and registered, but readers may not find it yet ({error}): run {hint}",
            hints=[hint],
        ) from error


def check_levels(url: str, document: ngff.Document, written: Written, image_group: ImageGroup | None) -> None:
    """Refuse labels whose image another writer has published meanwhile, with other levels.

    Raises
    ------
    UsageError
        If one has.
    """
    if image_group is None or image_group.multiscales is None:
        return
    ours = ngff.decode_multiscales(ngff.unwrap(written.labels[document.name])[1], ndim=5)
    if len(ours.datasets) != len(image_group.shapes):
        raise UsageError(
            f"{url}: another job has meanwhile written an image of {len(image_group.shapes)} levels: run again"
        )


def put_own_groups(version: ngff.Version, snapshot: GroupSnapshot, changes: Transaction) -> None:
    """Make the groups that the index lies in, with a copy of the schemas, so that the store explains itself."""
    changes.put_group(OWN, version, with_schemas(snapshot.attributes(OWN), version))
    changes.put_group(INDEX, version, {})


def replaced_paths(document: ngff.Document, written: Written, snapshot: GroupSnapshot) -> set[str]:
    """Paths of what a segmentation consists of and will not when it is replaced: layers, levels, indices."""
    now = document_of(snapshot.image_group, document.name)
    gone = set(now.layers if now is not None else ()) - set(document.layers)
    old = {f"{folder}/{name}" for name in gone for folder in (LABELS, INDEX)}
    for name in document.layers:
        label, index = (snapshot.attributes(f"{folder}/{name}") for folder in (LABELS, INDEX))
        old |= _named(name, label, index)
    return old.difference(
        *(_named(name, written.labels[name], written.indices[name]) for name in written.labels)
    )


def _named(name: str, label: Mapping[str, Any], index: Mapping[str, Any]) -> set[str]:
    """Paths of the arrays that a label image and its index name."""
    levels = {f"{LABELS}/{name}/{path}" for path in level_paths(label)}
    return levels | {f"{INDEX}/{name}/{path}" for path in index_paths(index)}


def refresh_groups(url: str, written: Written, version: ngff.Version) -> None:
    """Have consolidated metadata tell of what was published, where others may keep some."""
    groups = [f"{LABELS}/{name}" for name in written.labels]
    refresh_consolidated(url, groups, ngff.zarr_format(version))
