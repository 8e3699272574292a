"""Publishing a job in a folder: what was written aside takes its place, the register of names last.

Each step that a later one may leave half done can be undone; the last step is one object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ngffseg import ngff
from ngffseg.errors import LabelExistsError
from ngffseg.labels.jobs.job import Job
from ngffseg.labels.jobs.written import Written
from ngffseg.labels.nodes.paths import INDEX, LABELS, OWN, ROOT_FILES
from ngffseg.labels.nodes.transaction import Transaction, transaction
from ngffseg.labels.plan.metadata import validated
from ngffseg.labels.plan.write_plan import WritePlan, check_places
from ngffseg.labels.publish.carry_over import carry_over
from ngffseg.labels.publish.steps import (
    check_levels,
    look_again,
    published,
    put_own_groups,
    refresh_groups,
    replaced_paths,
)
from ngffseg.labels.read.group_snapshot import GroupSnapshot
from ngffseg.labels.read.image_group import ImageGroup, document_of
from ngffseg.labels.registry.entries import registered
from ngffseg.labels.registry.references import level_paths
from ngffseg.store import flushed, locked, remove


class FolderPublisher:
    """Publishes a job on the local disk; see `ngffseg.labels.publish.publisher.Publisher`."""

    def __init__(self, job: Job, write_plan: WritePlan, *, overwrite: bool) -> None:
        self._job, self._staging, self._overwrite = job, job.staging, overwrite
        self._document, self._version = write_plan.document, write_plan.version
        self._placeholder = write_plan.placeholder

    def publish(self, written: Written) -> None:
        """Put the label images of the job in their place and register them."""
        job, name = self._job, self._document.name
        flushed(job.url)  # what is published must not be lost with the power
        with locked(job.url):
            # Read again, under the lock: other writers may have published since the write was planned.
            snapshot = look_again(job, self._document, OWN)
            image_group = snapshot.image_group
            if image_group is not None and name in image_group.names and not self._overwrite:
                raise LabelExistsError(
                    f"{job.url}: label image {name!r} was written by another job meanwhile"
                )
            check_levels(job.url, self._document, written, image_group)
            newer, old = self._next(image_group), replaced_paths(self._document, written, snapshot)
            written = written.of_generation(newer.generation)
            if self._staging.aside:
                self._describe(written)
                job.note_moves(self._moves(written), newer.generation)
            with transaction(job.url, f"{self._staging.folder}/before") as changes:
                self._put_image(written, snapshot, changes)
                put_own_groups(self._version, snapshot, changes)
                # An index before its labels: whoever finds the labels finds it too.
                for layer, attributes in written.indices.items():
                    staged = self._staging.index_path(layer)
                    self._place(staged, f"{INDEX}/{layer}", attributes, snapshot, changes)
                for layer, attributes in written.labels.items():
                    staged = self._staging.label_path(layer)
                    self._place(staged, f"{LABELS}/{layer}", attributes, snapshot, changes)
                self._register(newer, image_group, changes)
            with published(job.url, name):
                for path in sorted(old):
                    remove(job.url, path)
                refresh_groups(job.url, written, self._version)

    def _next(self, image_group: ImageGroup | None) -> ngff.Document:
        """The document in its next generation."""
        old = document_of(image_group, self._document.name)
        return replace(self._document, generation=1 if old is None else old.generation + 1)

    def _describe(self, written: Written) -> None:
        """Have what lies aside tell its generation before it is moved."""
        for layer, attributes in written.labels.items():
            self._job.describe(self._staging.label_path(layer), self._version, attributes)
        for layer, attributes in written.indices.items():
            self._job.describe(self._staging.index_path(layer), self._version, attributes)

    def _moves(self, written: Written) -> dict[str, str]:
        """What is going to be moved, by the path of its place."""
        staging = self._staging
        levels = level_paths(written.image) if written.image is not None else ()
        moves = {path: f"{staging.image_path}/{path}" for path in levels}
        moves |= {f"{INDEX}/{layer}": staging.index_path(layer) for layer in written.indices}
        return moves | {f"{LABELS}/{layer}": staging.label_path(layer) for layer in written.labels}

    def _put_image(self, written: Written, snapshot: GroupSnapshot, changes: Transaction) -> None:
        """Publish the image that was written with the labels, or one without data where there is none."""
        image_group = snapshot.image_group
        if self._placeholder is not None and (image_group is None or image_group.multiscales is None):
            self._put_placeholder(snapshot, changes)
        elif written.image is not None and self._staging.aside:
            self._move_image(written.image, changes)
        elif written.image is not None:
            changes.put_group("", self._version, written.image)

    def _put_placeholder(self, snapshot: GroupSnapshot, changes: Transaction) -> None:
        assert self._placeholder is not None
        plan, attributes = self._placeholder
        # Read again, under the lock: other writers may have put arrays there since the write was planned.
        check_places(self._job.store, self._job.url, plan)
        # Should we die on the way, the next run removes what nothing names.
        own = ROOT_FILES if snapshot.groups[""] is None else ()
        self._job.note_paths([*(level.path for level in plan.levels), *own])
        for level in plan.levels:
            changes.create_array(level.path, level, plan, self._version)
        changes.put_group("", self._version, attributes)

    def _move_image(self, attributes: Mapping[str, Any], changes: Transaction) -> None:
        _, metadata = ngff.unwrap(attributes)
        for dataset in ngff.decode_multiscales(metadata, ndim=5).datasets:
            changes.move(f"{self._staging.image_path}/{dataset.path}", dataset.path)
        changes.put_group("", self._version, attributes)

    def _place(
        self,
        staged: str,
        path: str,
        attributes: Mapping[str, Any],
        snapshot: GroupSnapshot,
        changes: Transaction,
    ) -> None:
        """Publish a group that was written aside, or whose arrays lie in place without a name."""
        there = snapshot.groups[path]
        if not self._staging.aside:
            changes.put_group(path, self._version, attributes)
        elif there is None:
            changes.move(staged, path)
        else:
            carry_over(self._job.url, there, staged, self._version, attributes)
            # Readers find the old or the new one, never none. The old one goes with the job.
            changes.exchange(staged, path)

    def _register(
        self, document: ngff.Document, image_group: ImageGroup | None, changes: Transaction
    ) -> None:
        attributes = (image_group.labels_attributes or {}) if image_group is not None else {}
        registry = validated(registered(attributes, document, self._version), LABELS)
        changes.put_group(LABELS, self._version, registry)
