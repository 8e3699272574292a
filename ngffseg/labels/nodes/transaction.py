"""`Transaction`: steps that readers see one by one, and that are undone together; folders move on a local disk alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import zarr

from ngffseg import ngff
from ngffseg.labels.nodes.create import create_array
from ngffseg.labels.nodes.documents import document_key
from ngffseg.labels.nodes.group_document import group_keys, put_group
from ngffseg.pyramid import Level, PyramidPlan
from ngffseg.store import exchange, folder_number, move, preserve, remove


class Transaction:
    """Changes of a store; `transaction` makes one.

    How to undo a step is known before it is done, so that one that fails half-way is undone, too.
    """

    def __init__(self, url: str, folder: str, undo: ExitStack) -> None:
        self.url = url
        self._folder, self._undo = folder, undo

    def put_group(self, path: str, version: ngff.Version, attributes: Mapping[str, Any]) -> None:
        """Make or change a group; undone, its documents are what they were, byte for byte."""
        self._preserve(*group_keys(path, version))
        put_group(self.url, path, version, attributes)

    def create_array(
        self, path: str, level: Level, plan: PyramidPlan, version: ngff.Version
    ) -> zarr.Array[Any]:
        """Make an empty array; undone, its metadata are gone, and nothing else that lies there."""
        self._preserve(*(document_key(path, file) for file in ("zarr.json", ".zarray", ".zattrs")))
        return create_array(self.url, path, level, plan, version)

    def move(self, staged: str, path: str) -> None:
        """Move a folder to its place, which must be free; undone, it is where it was."""
        self._undo.callback(move_back, self.url, path, staged, folder_number(self.url, staged))
        move(self.url, staged, path)

    def exchange(self, staged: str, path: str) -> None:
        """Swap two folders."""
        self._undo.callback(move_back, self.url, path, staged, folder_number(self.url, staged))
        exchange(self.url, staged, path)

    def _preserve(self, *keys: str) -> None:
        for key in keys:
            self._undo.callback(preserve(self.url, key, self._folder))


@contextmanager
def transaction(url: str, folder: str) -> Iterator[Transaction]:
    """Steps that are undone if one of them fails.

    Parameters
    ----------
    url
        Address of the store.
    folder
        Folder in it, of the same writer, where documents of a local disk are kept as they were: undoing then needs
        no space.
    """
    with ExitStack() as undo:
        yield Transaction(url, folder, undo)
        undo.pop_all()


def move_back(url: str, place: str, staged: str, number: int | None) -> None:
    """Move a folder of this number back from its place, if it has come there; what it replaced comes back."""
    if number is None or folder_number(url, place) != number:
        return
    if folder_number(url, staged) is not None:
        exchange(url, staged, place)
    else:
        move(url, place, staged)
        remove(url, place)  # folders around it that are empty now
