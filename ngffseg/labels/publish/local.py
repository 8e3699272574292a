"""Publishing a job: what was written aside takes its place, the register of names last.

Each step that a later one may leave half done can be undone; the last step is one object.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import zarr

from ngffseg import ngff
from ngffseg.errors import LabelExistsError, NgffsegError, StoreError, UsageError
from ngffseg.labels.jobs.job import Job
from ngffseg.labels.nodes.consolidated import refresh_consolidated
from ngffseg.labels.nodes.group_document import put_group
from ngffseg.labels.nodes.paths import INDEX, LABELS, OWN, ROOT_FILES
from ngffseg.labels.nodes.transaction import Transaction, transaction
from ngffseg.labels.plan.metadata import validated, with_schemas
from ngffseg.labels.plan.write_plan import check_places
from ngffseg.labels.publish.carry_over import carry_over
from ngffseg.labels.read.group_snapshot import GroupSnapshot, take_snapshot
from ngffseg.labels.read.image_group import ImageGroup, document_of
from ngffseg.labels.registry.entries import registered
from ngffseg.labels.registry.references import index_paths, level_paths
from ngffseg.pyramid import PyramidPlan
from ngffseg.store import flushed, locked, remove


def publish(
    job: Job,
    version: ngff.Version,
    document: ngff.Document,
    placeholder: tuple[PyramidPlan, dict[str, Any]] | None,
    *,
    overwrite: bool,
) -> None:
    """Put the label images of a job in their place and register them.

    Raises
    ------
    LabelExistsError
        If another writer has published the name meanwhile.
    """
    flushed(job.url)  # what is published must not be lost with the power
    with locked(job.url):
        # Read again, under the lock: other writers may have published since the write was planned.
        snapshot = look_again(job, document, OWN, job.image_path)
        image_group = snapshot.image_group
        if image_group is not None and document.name in image_group.names and not overwrite:
            raise LabelExistsError(
                f"{job.url}: label image {document.name!r} was written by another job meanwhile"
            )
        check_levels(job, document, image_group)
        newer, old = _next(document, image_group), replaced_paths(job, document, snapshot)
        count_generation(job, version, newer.generation)
        if job.aside:
            job.note_moves(_moves(job, snapshot), newer.generation)
        with transaction(job.url, f"{job.folder}/before") as changes:
            if placeholder is not None and (image_group is None or image_group.multiscales is None):
                _put_placeholder(job, version, *placeholder, snapshot, changes)
            elif job.aside and snapshot.groups[job.image_path] is not None:
                _move_image(job, version, snapshot.attributes(job.image_path), changes)
            elif job.image is not None:
                changes.put_group("", version, job.image)
            # An index before its labels: whoever finds the labels finds it too.
            place_indices(job, version, snapshot, changes)
            for name, attributes in job.attributes.items():
                path = f"{LABELS}/{name}"
                _place(job, job.label_path(name), snapshot.groups[path], path, attributes, version, changes)
            _registry(version, newer, image_group, changes)
        with published(job.url, document.name):
            for path in sorted(old):
                remove(job.url, path)
            refresh_consolidated(job.url, changed_groups(job), ngff.zarr_format(version))


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
        raise StoreError(
            f"{url}: {name!r} is written and registered, but readers may not find it yet ({error}):"
            f" run ngffseg check --fix {url}"
        ) from error


def changed_groups(job: Job) -> list[str]:
    """Paths of the groups that a job changes where others may have changed something, too."""
    return [f"{LABELS}/{name}" for name in job.indices]


def count_generation(job: Job, version: ngff.Version, generation: int) -> None:
    """Have the label images of a job and their indices tell how often their segmentation has been written."""
    for groups, place in ((job.attributes, job.label_path), (job.indices, job.index_path)):
        for name, attributes in groups.items():
            attributes[OWN] = {**attributes[OWN], "generation": generation}
            if job.aside:
                put_group(job.url, place(name), version, attributes)


def check_levels(job: Job, document: ngff.Document, image_group: ImageGroup | None) -> None:
    """Refuse labels whose image another writer has published meanwhile, with other levels."""
    if image_group is None or image_group.multiscales is None:
        return
    ours = ngff.decode_multiscales(ngff.unwrap(job.attributes[document.name])[1], ndim=5)
    if len(ours.datasets) != len(image_group.shapes):
        raise UsageError(
            f"{job.url}: another job has meanwhile written an image of {len(image_group.shapes)} levels: run again"
        )


def _put_placeholder(
    job: Job,
    version: ngff.Version,
    plan: PyramidPlan,
    attributes: dict[str, Any],
    snapshot: GroupSnapshot,
    changes: Transaction,
) -> None:
    # Read again, under the lock: other writers may have put arrays there since the write was planned.
    check_places(job.store, job.url, plan)
    # Should we die on the way, whoever comes next removes what nothing names.
    own = ROOT_FILES if snapshot.groups[""] is None else ()
    job.note_paths([*job.record.paths, *(level.path for level in plan.levels), *own])
    for level in plan.levels:
        changes.create_array(level.path, level, plan, version)
    changes.put_group("", version, attributes)


def _move_image(job: Job, version: ngff.Version, attributes: dict[str, Any], changes: Transaction) -> None:
    _, metadata = ngff.unwrap(attributes)
    for dataset in ngff.decode_multiscales(metadata, ndim=5).datasets:
        changes.move(f"{job.image_path}/{dataset.path}", dataset.path)
    changes.put_group("", version, attributes)


def place_indices(job: Job, version: ngff.Version, snapshot: GroupSnapshot, changes: Transaction) -> None:
    """Publish the segment indices of a job, and the group that they are in."""
    _put_schemas(version, snapshot, changes)
    changes.put_group(INDEX, version, {})
    for name, attributes in job.indices.items():
        path = f"{INDEX}/{name}"
        _place(job, job.index_path(name), snapshot.groups[path], path, attributes, version, changes)


def _place(
    job: Job,
    staged: str,
    there: zarr.Group | None,
    path: str,
    attributes: dict[str, Any],
    version: ngff.Version,
    changes: Transaction,
) -> None:
    """Publish a group that was written aside, or whose arrays lie in place without a name."""
    if not job.aside:
        changes.put_group(path, version, attributes)
        return
    if there is None:
        changes.move(staged, path)
    else:
        carry_over(job.url, there, staged, version, attributes)
        # Readers find the old or the new one, never none. The old one goes with the job.
        changes.exchange(staged, path)


def _put_schemas(version: ngff.Version, snapshot: GroupSnapshot, changes: Transaction) -> None:
    """Leave a copy of the schemas in the store, so that it explains itself."""
    changes.put_group(OWN, version, with_schemas(snapshot.attributes(OWN), version))


def _registry(
    version: ngff.Version, document: ngff.Document, image_group: ImageGroup | None, changes: Transaction
) -> None:
    attributes = (image_group.labels_attributes or {}) if image_group is not None else {}
    changes.put_group(LABELS, version, validated(registered(attributes, document, version), LABELS))


def _next(document: ngff.Document, image_group: ImageGroup | None) -> ngff.Document:
    """The document in its next generation."""
    old = document_of(image_group, document.name)
    return replace(document, generation=1 if old is None else old.generation + 1)


def _moves(job: Job, snapshot: GroupSnapshot) -> dict[str, str]:
    """What is going to be moved, by the path of its place."""
    levels = level_paths(snapshot.attributes(job.image_path))
    moves = {path: f"{job.image_path}/{path}" for path in levels}
    moves |= {f"{INDEX}/{name}": job.index_path(name) for name in job.indices}
    return moves | {f"{LABELS}/{name}": job.label_path(name) for name in job.attributes}


def replaced_paths(job: Job, document: ngff.Document, snapshot: GroupSnapshot) -> set[str]:
    """Paths of what a segmentation consists of and will not when it is replaced: layers, levels, indices."""
    now = document_of(snapshot.image_group, document.name)
    gone = set(now.layers if now is not None else ()) - set(document.layers)
    old = {f"{folder}/{name}" for name in gone for folder in (LABELS, INDEX)}
    for name in document.layers:
        label, index = (snapshot.attributes(f"{folder}/{name}") for folder in (LABELS, INDEX))
        old |= _named(name, label, index)
    new = (_named(name, job.attributes[name], job.indices.get(name, {})) for name in job.attributes)
    return old.difference(*new)


def _named(name: str, label: dict[str, Any], index: dict[str, Any]) -> set[str]:
    """Paths of the arrays that a label image and its index name."""
    levels = {f"{LABELS}/{name}/{path}" for path in level_paths(label)}
    return levels | {f"{INDEX}/{name}/{path}" for path in index_paths(index)}
