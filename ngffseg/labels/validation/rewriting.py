"""`Rewriting`: replaces attributes of groups, all or none, and keeps copies of the documents from before."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from ngffseg.errors import StoreError
from ngffseg.labels.nodes.documents import document_key
from ngffseg.labels.nodes.paths import BACKUP
from ngffseg.ngff import Node, encode_json
from ngffseg.store import put_object, read_objects, remove

CONSOLIDATED = ("zarr.json", ".zmetadata")


class Rewriting:
    """Documents of some groups that are being replaced; leaving it by an error puts them back.

    Parameters
    ----------
    address
        Address of the store, which may be written.
    changed
        Groups with the attributes that they are to have.
    groups
        All groups of the store, which may hold consolidated metadata.
    """

    def __init__(self, address: str, changed: Sequence[Node], groups: Sequence[Node]) -> None:
        self.address, self.changed = address, changed
        documents = {document_key(group.path, file): None for group in groups for file in CONSOLIDATED}
        self.keys = list(dict.fromkeys([*map(_key, changed), *documents]))
        # What each document held before.
        self.before: dict[str, bytes | None] = {}
        self.begun = False
        self.copies: list[str] = []

    def __enter__(self) -> Rewriting:
        self.before = self._read()
        return self

    def write(self) -> None:
        """Keep copies of the documents of the groups that change, then replace them.

        Raises
        ------
        StoreError
            If somebody else has changed one of them meanwhile.
        """
        self._keep([_key(node) for node in self.changed])
        documents = {_key(node): self._document(node) for node in self.changed}
        if self._read() != self.before:
            raise StoreError(f"{self.address}: somebody else writes to it: run the check again")
        self.begun = True
        for key, data in documents.items():
            put_object(self.address, key, data)

    def keep_refreshed(self) -> None:
        """Keep copies of what else has changed since: consolidated metadata."""
        now, written = self._read(), set(map(_key, self.changed))
        self._keep([key for key, data in now.items() if data != self.before[key] and key not in written])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or not self.begun:
            return
        for key, now in self._read().items():
            if now != self.before[key]:
                with contextlib.suppress(OSError):  # the error that led here is the one to tell
                    self._put_back(key, self.before[key])

    def _put_back(self, key: str, data: bytes | None) -> None:
        if data is None:
            remove(self.address, key)
        else:
            put_object(self.address, key, data)

    def _keep(self, keys: Sequence[str]) -> None:
        for key in keys:
            data = self.before[key]
            if data is not None:
                put_object(self.address, _copy_key(key, data), data)
                self.copies.append(_copy_key(key, data))

    def _document(self, node: Node) -> bytes:
        """The document of a group, which keeps all but its attributes."""
        attributes: dict[str, Any] = dict(node.attributes)
        if node.zarr_format == 3:
            attributes = {**json.loads(self.before[_key(node)] or b"{}"), "attributes": attributes}
        return encode_json(attributes, others=True)

    def _read(self) -> dict[str, bytes | None]:
        return dict(zip(self.keys, read_objects(self.address, self.keys), strict=True))


def _key(node: Node) -> str:
    return document_key(node.path, "zarr.json" if node.zarr_format == 3 else ".zattrs")


def _copy_key(key: str, data: bytes) -> str:
    """Where a document is kept: beside its name stands a digest, so that no copy replaces another."""
    return f"{BACKUP}/{key}.{hashlib.sha256(data).hexdigest()[:12]}"
