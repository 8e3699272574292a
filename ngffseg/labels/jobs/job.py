"""`Job`: a write in progress, kept aside until all of it is there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any

from zarr.abc.store import Store

from ngffseg import ngff
from ngffseg.errors import ClusterError, JobError, NgffsegError, StoreError
from ngffseg.labels.jobs.checkpoint_files import checkpoints_of
from ngffseg.labels.jobs.checkpoints import CheckpointLog
from ngffseg.labels.jobs.interrupts import defer_interrupts
from ngffseg.labels.jobs.ownership import (
    Ownership,
    free_reservation,
    reservation_key,
    take_ownership,
    write_record,
)
from ngffseg.labels.jobs.staging import Staging
from ngffseg.labels.nodes.find import find_arrays
from ngffseg.labels.nodes.group_document import put_group
from ngffseg.ngff import JobRecord, Move
from ngffseg.pyramid import PyramidPlan
from ngffseg.store import can_exchange, create_object, folder_number, local_path, place_of, remove


class Job:
    """A write in progress, as a context.

    Levels that are added to a label image (``in_place``) are written in place everywhere. What an
    interrupted job has done is kept, if it is worth it, and a later run can go on with it (``resume``).
    What it says of itself, ``record``, only the job itself changes.
    ``generation`` is that of the labels that it replaces.
    """

    def __init__(
        self,
        url: str,
        store: Store,
        wanted: JobRecord,
        *,
        replacing: bool,
        generation: int = 0,
        in_place: bool = False,
        resume: bool = False,
    ) -> None:
        self.url, self.record = url, wanted
        self._ownership: Ownership | None = None
        self.store, self._generation = store, generation
        self._replacing, self._in_place, self._resume = replacing, in_place, resume
        self.resumed = False
        self._in_place_paths: tuple[str, ...] = ()
        self._checkpoint_logs: list[CheckpointLog] = []
        self._reserved = False

    @property
    def ownership(self) -> Ownership:
        """The right to the job."""
        assert self._ownership is not None, "the job has not begun"
        return self._ownership

    @property
    def staging(self) -> Staging:
        """Where its parts lie; settled once the paths are reserved."""
        return Staging(self.url, self.ownership.folder, self.record.aside, self.record.prefix)

    @property
    def in_place_paths(self) -> tuple[str, ...]:
        """What is removed if the job is given up: it was made in place, and is not published."""
        return self._in_place_paths

    def hand_over(self) -> None:
        """Leave what was made in place to the store: it is published, or about to be."""
        self._in_place_paths = ()

    def __enter__(self) -> Job:
        try:
            with defer_interrupts():
                self._begin()
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def _begin(self) -> None:
        """Get the right to the job; go on with what an earlier run has left where that is asked for."""
        wanted, url = self.record, self.url
        self._ownership = take_ownership(self.store, url, wanted, resume=self._resume)
        self.resumed = self._ownership.record is not None
        if self._ownership.record is not None:
            self.record = self._ownership.record
            return
        # Some file systems of networks cannot swap folders; there it is as on an object store.
        swappable = not self._in_place and (not self._replacing or can_exchange(url, self.ownership.folder))
        aside = local_path(url) is not None and swappable
        prefix = self.ownership.prefix_after(self._generation) if self._replacing and not aside else ""
        self.record = replace(wanted, aside=aside, prefix=prefix)

    def begin(self, plans: Mapping[str, PyramidPlan], paths: Sequence[str]) -> None:
        """Say what is going to be made, before any of it is.

        Parameters
        ----------
        plans
            Plan of each label image, by name.
        paths
            What is made in place, to be removed if the job is given up.
        """
        if not self.resumed:
            passes = {
                name: tuple((pass_.source, pass_.targets) for pass_ in plan.passes)
                for name, plan in plans.items()
            }
            self.record = replace(self.record, passes=passes, paths=tuple(paths))
            self._ownership = write_record(self.url, self.ownership, self.record)
        self._in_place_paths = tuple(paths)

    def note_paths(self, paths: Iterable[str]) -> None:
        """Say what else lies in place that nothing may name in the end."""
        known = dict.fromkeys([*self.record.paths, *self._in_place_paths, *paths])
        self.record = replace(self.record, paths=tuple(known))
        self._ownership = write_record(self.url, self.ownership, self.record)

    def note_moves(self, moves: Mapping[str, str], generation: int) -> None:
        """Say what is about to be moved to its place: see `ngffseg.labels.jobs.recovery`."""
        known = {place: Move(staged, folder_number(self.url, staged) or 0) for place, staged in moves.items()}
        self.record = replace(self.record, moves=known, generation=generation)
        self._ownership = write_record(self.url, self.ownership, self.record)

    def reserve(self, name: str, plan: PyramidPlan, version: ngff.Version) -> None:
        """Reserve the paths of a new label image on an object store.

        Where another writer of the same name is at it, or has died of it, levels get paths of their
        own; so they do where one has come and gone since we looked.
        """
        if local_path(self.url) is not None or self.record.prefix:
            return
        key, document = reservation_key(self.record.name), ngff.encode_json({"job": self.ownership.id})
        self._reserved = create_object(self.url, key, document)
        level0 = f"{self.staging.label_path(name)}/{plan.levels[0].path}"
        free = find_arrays(self.store, [level0], ngff.zarr_format(version))[0] is None
        if not self.resumed and not (self._reserved and free):
            self.record = replace(self.record, prefix=self.ownership.prefix)

    def checkpoint_log(self, name: str, plan: PyramidPlan) -> CheckpointLog:
        """The checkpoint log of the blocks of a label image."""
        checkpoints = checkpoints_of(place_of(self.url), self.ownership.folder, name)
        self._checkpoint_logs.append(CheckpointLog(checkpoints, plan))
        return self._checkpoint_logs[-1]

    def describe(self, path: str, version: ngff.Version, attributes: Mapping[str, Any]) -> None:
        """Write the metadata of a group, whose arrays are complete, if it lies aside: in place it is published so."""
        if self.record.aside:
            put_group(self.url, path, version, attributes)

    def check_held(self) -> None:
        """Refuse to go on where another run has taken over.

        Raises
        ------
        JobError
            If it has: we did not show for so long that we seemed dead.
        """
        if not self.ownership.lease.held():
            raise JobError(
                f"{self.url}: another run has taken over the job of {self.record.name!r}, since this one gave no"
                " sign of life: wait for that one"
            )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # What went wrong is told, not that cleaning up went wrong as well.
        quiet = contextlib.suppress(StoreError, OSError) if kind is not None else contextlib.nullcontext()
        with defer_interrupts(), quiet:
            if self._ownership is None:
                return
            removed = False
            try:
                if error is not None and not self._ownership.lease.held():
                    removed = True  # the folder is that of another run, which has taken over
                elif error is not None and self._worth_keeping(error):
                    for checkpoint_log in self._checkpoint_logs:
                        checkpoint_log.save()
                else:
                    self._remove(error)
                    removed = True
            finally:
                self._ownership.lease.release(removed=removed)

    def _remove(self, error: BaseException | None) -> None:
        """Remove what is not needed any more: after an error, what was made in place, too."""
        for path in self._in_place_paths if error is not None else ():
            remove(self.url, path)
        if self._reserved or self.resumed:
            free_reservation(self.url, self.record.name, self.ownership.id)
        self.ownership.lease.stop_heartbeat()
        remove(self.url, self.ownership.folder)

    def _worth_keeping(self, error: BaseException) -> bool:
        """Return True if a later run could go on: some blocks are done, and what failed may not fail again."""
        hopeless = isinstance(error, NgffsegError) and not isinstance(error, StoreError | ClusterError)
        return not hopeless and any(log.written for log in self._checkpoint_logs)
