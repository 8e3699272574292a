"""`Job`: a write in progress, kept aside until all of it is there."""

from __future__ import annotations

import contextlib
import json
import uuid
from types import TracebackType
from typing import Any

from zarr.abc.store import Store

from ngffseg import ngff
from ngffseg.chunks import StoredLabels
from ngffseg.errors import StoreError
from ngffseg.labels.creation import array_document, create_array, put_group
from ngffseg.labels.levels import written_labels
from ngffseg.labels.nodes import find_arrays
from ngffseg.labels.parent import LABELS
from ngffseg.labels.shield import shielded
from ngffseg.pyramid import PyramidPlan
from ngffseg.store import can_exchange, create_object, local_path, remove

OWN = "ngffseg"
INDEX = f"{OWN}/index"
REGISTER = f"{OWN}/register"


class Job:
    """Where the parts of one write are until they are published.

    On a local disk they lie under ``ngffseg/jobs/<id>`` and are moved to their place in one step.
    Elsewhere nothing can be moved: the arrays are written in place, where no metadata names them
    yet. When a label image is replaced there, its new levels get paths of their own. Levels that
    are added to a label image (``in_place``) are written so everywhere.
    """

    def __init__(self, url: str, store: Store, *, replacing: bool, in_place: bool = False) -> None:
        self.url, self.store, self.id = url, store, uuid.uuid4().hex[:12]
        # Some file systems of networks cannot swap folders; there it is as on an object store.
        swappable = not in_place and (not replacing or can_exchange(url, self.folder))
        self.aside = local_path(url) is not None and swappable
        self.level_prefix = f"{self.id}-" if replacing and not self.aside else ""
        self.arrays: dict[str, dict[str, Any]] = {}
        self.attributes: dict[str, dict[str, Any]] = {}
        self.indices: dict[str, dict[str, Any]] = {}
        self.written: list[str] = []
        self.reserved = ""

    @property
    def folder(self) -> str:
        """Folder of the job in a local store."""
        return f"{OWN}/jobs/{self.id}"

    @property
    def image_path(self) -> str:
        """Path of the group in which the source image is written."""
        return f"{self.folder}/image" if self.aside else ""

    def label_path(self, name: str) -> str:
        """Path of the group in which a label image is written."""
        return f"{self.folder}/{LABELS}/{name}" if self.aside else f"{LABELS}/{name}"

    def index_path(self, name: str) -> str:
        """Path of the group in which the segment index of a label image is written."""
        return f"{self.folder}/{INDEX}/{name}" if self.aside else f"{INDEX}/{name}"

    def create_levels(self, name: str, plan: PyramidPlan, version: ngff.Version) -> list[StoredLabels]:
        """Make the empty arrays of a label image, all metadata before any chunk."""
        group = self.label_path(name)
        if local_path(self.url) is None and not self.level_prefix and not self.written:
            self._reserve(name, f"{group}/{plan.levels[0].path}", version)
        paths = [self.level_prefix + level.path for level in plan.levels]
        self.written += [f"{group}/{path}" for path in paths]
        made = [
            create_array(self.url, f"{group}/{path}", level, plan, version)
            for path, level in zip(paths, plan.levels, strict=True)
        ]
        self.arrays[name] = {path: array_document(array) for path, array in zip(paths, made, strict=True)}
        return [written_labels(array) for array in made]

    def _reserve(self, name: str, level0: str, version: ngff.Version) -> None:
        """Reserve the paths of a new label image on an object store.

        Where another writer of the same name is at it, or has died of it, levels get paths of their
        own; so they do where one has come and gone since we looked.
        """
        key = f"{OWN}/jobs/{name}.json"
        if create_object(self.url, key, json.dumps({"job": self.id}).encode()):
            self.reserved = key
        if not self.reserved or find_arrays(self.store, [level0], ngff.zarr_format(version))[0] is not None:
            self.level_prefix = f"{self.id}-"

    def describe(self, name: str, version: ngff.Version, attributes: dict[str, Any]) -> None:
        """Keep the metadata of a label image, whose levels are complete, until it is published."""
        self.attributes[name] = attributes
        if self.aside:
            put_group(self.url, self.label_path(name), version, attributes)

    def __enter__(self) -> Job:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # What went wrong is told, not that cleaning up went wrong as well.
        quiet = contextlib.suppress(StoreError) if kind is not None else contextlib.nullcontext()
        with shielded(), quiet:
            if self.aside:
                remove(self.url, self.folder)
            elif kind is not None:
                for path in self.written:
                    remove(self.url, path)
            if self.reserved:
                remove(self.url, self.reserved)
