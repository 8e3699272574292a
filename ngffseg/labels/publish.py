"""Publishing a job: what was written aside takes its place, the register of names last.

Each step that a later one may leave half done can be undone; the last step is one object.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

from ngffseg import ngff
from ngffseg.errors import LabelExistsError, UsageError
from ngffseg.labels.creation import create_array, put_group, refresh_consolidated
from ngffseg.labels.draft import check_places
from ngffseg.labels.job import Job
from ngffseg.labels.metadata import judged, with_schemas
from ngffseg.labels.names import layers_of, registered
from ngffseg.labels.nodes import attributes_of, find_group
from ngffseg.labels.parent import Parent, document_of, find_parent
from ngffseg.labels.places import INDEX, LABELS, OWN, ROOT_FILES
from ngffseg.labels.standing import level_paths
from ngffseg.pyramid import PyramidPlan
from ngffseg.store import exchange, flushed, locked, move, remove


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
        parent = find_parent(job.store, job.url)
        if parent is not None and document.name in parent.names and not overwrite:
            raise LabelExistsError(
                f"{job.url}: label image {document.name!r} was written by another job meanwhile"
            )
        check_levels(job, document, parent)
        newer = _next(document, parent)
        count_generation(job, version, newer.generation)
        if job.aside:
            job.note_moves(_moves(job), newer.generation)
        with ExitStack() as undo:
            if placeholder is not None and (parent is None or parent.multiscales is None):
                _put_placeholder(job, version, *placeholder, undo)
            elif find_group(job.store, job.image_path) is not None and job.aside:
                _move_image(job, version, undo)
            # An index before its labels: whoever finds the labels finds it too.
            place_indices(job, version, undo)
            for name, attributes in job.attributes.items():
                staged = job.label_path(name)
                _place(job, staged, f"{LABELS}/{name}", attributes, version, undo)
            _register(job, version, newer, parent)
            undo.pop_all()
        _remove_old(job, document, parent)
        refresh_consolidated(job.url)


def count_generation(job: Job, version: ngff.Version, generation: int) -> None:
    """Have the label images of a job tell how often their segmentation has been written."""
    for name, attributes in job.attributes.items():
        attributes[OWN] = {**attributes[OWN], "generation": generation}
        if job.aside:
            put_group(job.url, job.label_path(name), version, attributes)


def check_levels(job: Job, document: ngff.Document, parent: Parent | None) -> None:
    """Refuse labels whose image another writer has published meanwhile, with other levels."""
    if parent is None or parent.multiscales is None:
        return
    ours = ngff.decode_multiscales(ngff.unwrap(job.attributes[document.name])[1], ndim=5)
    if len(ours.datasets) != len(parent.shapes):
        raise UsageError(
            f"{job.url}: another job has meanwhile written an image of {len(parent.shapes)} levels: run again"
        )


def _put_placeholder(
    job: Job, version: ngff.Version, plan: PyramidPlan, attributes: dict[str, Any], undo: ExitStack
) -> None:
    check_places(job.store, job.url, plan)
    # Should we die on the way, whoever comes next removes what nothing names.
    own = ROOT_FILES if find_group(job.store, "") is None else ()
    job.note_paths([*job.record.paths, *(level.path for level in plan.levels), *own])
    for level in plan.levels:
        undo.callback(remove, job.url, level.path)
        create_array(job.url, level.path, level, plan, version)
    _put_root(job, version, attributes, undo)


def _move_image(job: Job, version: ngff.Version, undo: ExitStack) -> None:
    group = find_group(job.store, job.image_path)
    assert group is not None
    attributes = attributes_of(group)
    _, metadata = ngff.unwrap(attributes)
    for dataset in ngff.decode_multiscales(metadata, ndim=5).datasets:
        move(job.url, f"{job.image_path}/{dataset.path}", dataset.path)
        undo.callback(remove, job.url, dataset.path)
    _put_root(job, version, attributes, undo)


def _put_root(job: Job, version: ngff.Version, attributes: dict[str, Any], undo: ExitStack) -> None:
    _undo_group(job, "", undo)
    put_group(job.url, "", version, attributes)


def _undo_group(job: Job, path: str, undo: ExitStack) -> None:
    """Have the metadata of a group that is about to be made removed if a later step fails."""
    for file in ("zarr.json", ".zattrs", ".zgroup"):
        undo.callback(remove, job.url, f"{path}/{file}".strip("/"))


def place_indices(job: Job, version: ngff.Version, undo: ExitStack) -> None:
    """Publish the segment indices of a job, and the group that they are in."""
    _put_schemas(job, version, undo)
    for name, attributes in job.indices.items():
        if find_group(job.store, INDEX) is None:
            _undo_group(job, INDEX, undo)
            put_group(job.url, INDEX, version, {})
        _place(job, job.index_path(name), f"{INDEX}/{name}", attributes, version, undo)


def _place(
    job: Job,
    staged: str,
    path: str,
    attributes: dict[str, Any],
    version: ngff.Version,
    undo: ExitStack,
) -> None:
    """Publish a group that was written aside, or whose arrays lie in place without a name."""
    there = find_group(job.store, path)
    if not job.aside:
        if there is None:
            _undo_group(job, path, undo)
        else:
            undo.callback(put_group, job.url, path, version, attributes_of(there))
        put_group(job.url, path, version, attributes)
    elif there is None:
        move(job.url, staged, path)
        undo.callback(remove, job.url, path)
    else:
        # Readers find the old or the new one, never none. The old one goes with the job.
        exchange(job.url, staged, path)
        undo.callback(partial(exchange, job.url, staged, path))


def _put_schemas(job: Job, version: ngff.Version, undo: ExitStack) -> None:
    """Leave a copy of the schemas in the store, so that it explains itself."""
    group = find_group(job.store, OWN)
    if group is None:
        _undo_group(job, OWN, undo)
    known = attributes_of(group) if group is not None else {}
    told = with_schemas(known, version)
    if told != known:
        put_group(job.url, OWN, version, told)


def _register(job: Job, version: ngff.Version, document: ngff.Document, parent: Parent | None) -> None:
    attributes = (parent.labels_attributes or {}) if parent is not None else {}
    put_group(job.url, LABELS, version, judged(registered(attributes, document, version), LABELS))


def _next(document: ngff.Document, parent: Parent | None) -> ngff.Document:
    """The document in its next generation."""
    old = document_of(parent, document.name)
    return replace(document, generation=1 if old is None else old.generation + 1)


def _moves(job: Job) -> dict[str, str]:
    """What is going to be moved, by the path of its place."""
    image = find_group(job.store, job.image_path)
    levels = level_paths(attributes_of(image)) if image is not None else ()
    moves = {path: f"{job.image_path}/{path}" for path in levels}
    moves |= {f"{INDEX}/{name}": job.index_path(name) for name in job.indices}
    return moves | {f"{LABELS}/{name}": job.label_path(name) for name in job.attributes}


def _remove_old(job: Job, document: ngff.Document, parent: Parent | None) -> None:
    """Remove layers that the replaced segmentation had and the new one has not."""
    old = layers_of(document.name, parent.documents if parent is not None else ())
    for name in old - set(document.layers):
        remove(job.url, f"{LABELS}/{name}")
        remove(job.url, f"{INDEX}/{name}")
    if not job.level_prefix:
        return
    for folder in (LABELS, INDEX):
        for name in document.layers:
            group = find_group(job.store, f"{folder}/{name}")
            for path in sorted(group.array_keys()) if group is not None else ():
                if not path.startswith(job.level_prefix):
                    remove(job.url, f"{folder}/{name}/{path}")
