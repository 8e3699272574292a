"""Publishing a job on an object store: it is registered in one step, then what readers open follows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ngffseg import ngff
from ngffseg.errors import LabelExistsError
from ngffseg.labels.jobs.job import Job
from ngffseg.labels.jobs.written import Written
from ngffseg.labels.nodes.create import level_documents
from ngffseg.labels.plan.write_plan import WritePlan, check_places
from ngffseg.labels.publish.steps import (
    check_levels,
    look_again,
    published,
    refresh_groups,
    replaced_paths,
)
from ngffseg.labels.read.image_group import ImageGroup, find_image_group
from ngffseg.labels.registry.object_store import (
    create_commit_record,
    entry_key,
    is_registered,
    newest_entries,
    publish_documents,
    update_registry,
)
from ngffseg.store import remove


class ObjectStorePublisher:
    """Publishes a job on an object store; see `ngffseg.labels.publish.publisher.Publisher`."""

    def __init__(self, job: Job, write_plan: WritePlan, *, overwrite: bool) -> None:
        self._job, self._overwrite = job, overwrite
        self._document, self._version = write_plan.document, write_plan.version
        self._placeholder = write_plan.placeholder

    def publish(self, written: Written) -> None:
        """Register the label images of the job, and have what readers open follow."""
        job = self._job
        job.check_held()
        # Read again, at the commit: other writers may have published since the write was planned.
        snapshot = look_again(job, self._document)
        image_group = snapshot.image_group
        check_levels(job.url, self._document, written, image_group)
        old = replaced_paths(self._document, written, snapshot)
        if old:  # should we die on the way, the next run removes what nothing names any more
            job.note_paths(sorted(old))
        ours = self._register(written, self._image(written, image_group), image_group)
        made = job.in_place_paths
        job.hand_over()
        with published(job.url, self._document.name):
            newest = publish_documents(job.store, job.url, ours)
            update_registry(job.store, job.url, newest)
            if newest == ours:
                self._remove_old(ours.document, old)
            else:  # replaced already
                for path in made:
                    remove(job.url, path)
            refresh_groups(job.url, written, self._version)

    def _image(self, written: Written, image_group: ImageGroup | None) -> ngff.Placeholder | None:
        """The image to publish: that which was written, or one without data where there is none."""
        if self._placeholder is None or (image_group is not None and image_group.multiscales is not None):
            return None if written.image is None else ngff.Placeholder(written.image, {})
        plan, attributes = self._placeholder
        image = ngff.Placeholder(attributes, level_documents(plan, self._version))
        check_places(self._job.store, self._job.url, plan, image.arrays)
        return image

    def _register(
        self, written: Written, image: ngff.Placeholder | None, image_group: ImageGroup | None
    ) -> ngff.CommitRecord:
        """Create the commit record; of several writers of one name one is first."""
        name, job = self._document.name, self._job
        while True:
            known = {d.name: d.generation for d in image_group.documents} if image_group is not None else {}
            generation = 1 + max(known.get(name, 0), newest_entries(job.url).get(name, 0))
            state = written.of_generation(generation)
            document = replace(self._document, generation=generation)
            ours = ngff.CommitRecord(document, self._version, state.labels, state.indices, image)
            there = image_group is not None and name in image_group.names
            if not self._overwrite and (there or self._holds(ours, generation - 1)):
                raise LabelExistsError(
                    f"{job.url}: label image {name!r} was written by another job meanwhile"
                )
            if create_commit_record(job.url, ours):
                return ours
            # Another writer was first: read again what he has published.
            image_group = find_image_group(job.store, job.url)

    def _holds(self, ours: ngff.CommitRecord, generation: int) -> bool:
        """Return True if there is a commit record of this generation, and what it names."""
        return generation > 0 and is_registered(self._job.store, ours, generation)

    def _remove_old(self, document: ngff.Document, old: Iterable[str]) -> None:
        """Remove what the segmentation consisted of before it was replaced, and its registrations."""
        for path in old:
            remove(self._job.url, path)
        for generation in range(1, document.generation):
            remove(self._job.url, entry_key(document.name, generation))
