"""`Rewriting`: replaces attributes of groups, all or none, and keeps copies of the documents from before."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from zarr.abc.store import Store
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync

from ngffseg.errors import StoreError
from ngffseg.labels.places import BACKUP
from ngffseg.ngff import Node, encode_json
from ngffseg.store import all_of, put_object, remove

# Where consolidated metadata of a whole store lie.
CONSOLIDATED = ("zarr.json", ".zmetadata")


class Rewriting:
    """Documents of some groups that are being replaced; what leaves it by an error puts them back.

    Parameters
    ----------
    store, address
        The store, which may be written, and its address.
    nodes
        Groups with the attributes that they are to have.
    """

    def __init__(self, store: Store, address: str, nodes: Sequence[Node]) -> None:
        self.store, self.address, self.nodes = store, address, nodes
        # Key of each document, with what it held before.
        self.before: dict[str, bytes | None] = {}
        self.written: list[str] = []
        self.copies: tuple[str, ...] = ()

    def __enter__(self) -> Rewriting:
        self.before = self._read([*map(_key, self.nodes), *CONSOLIDATED])
        return self

    def write(self) -> None:
        """Keep copies of all documents, then replace them.

        Raises
        ------
        StoreError
            If somebody else has changed one of them meanwhile.
        """
        changed = {key: self.before[key] for key in map(_key, self.nodes)}
        for key in CONSOLIDATED:
            data = self.before[key]
            if data is not None and (key == ".zmetadata" or b'"consolidated_metadata"' in data):
                changed[key] = data
        copies = {_copy_key(key, data): data for key, data in changed.items() if data is not None}
        for copy, data in copies.items():
            put_object(self.address, copy, data)
        self.copies = tuple(copies)
        documents = {_key(node): self._document(node) for node in self.nodes}
        if self._read(list(self.before)) != self.before:
            raise StoreError(f"{self.address}: somebody else writes to it: run the check again")
        for key, data in documents.items():
            self.written.append(key)
            put_object(self.address, key, data)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            return
        for key in dict.fromkeys([*self.written, *(CONSOLIDATED if self.written else ())]):
            with contextlib.suppress(OSError):  # the error that led here is the one to tell
                self._put_back(key)

    def _put_back(self, key: str) -> None:
        data = self.before[key]
        if data is not None:
            put_object(self.address, key, data)
        elif key in self.written:
            remove(self.address, key)

    def _document(self, node: Node) -> bytes:
        """The document of a group, which keeps all but its attributes."""
        attributes: dict[str, Any] = dict(node.attributes)
        if node.zarr_format == 3:
            attributes = {**json.loads(self.before[_key(node)] or b"{}"), "attributes": attributes}
        return encode_json(attributes, others=True)

    def _read(self, keys: Sequence[str]) -> dict[str, bytes | None]:
        return dict(zip(keys, sync(_fetched(self.store, keys)), strict=True))


def _key(node: Node) -> str:
    return f"{node.path}/{'zarr.json' if node.zarr_format == 3 else '.zattrs'}".lstrip("/")


def _copy_key(key: str, data: bytes) -> str:
    """Where a document is kept: beside its name stands a digest, so that no copy replaces another."""
    return f"{BACKUP}/{key}.{hashlib.sha256(data).hexdigest()[:12]}"


async def _fetched(store: Store, keys: Sequence[str]) -> list[bytes | None]:
    found = await all_of(store.get(key, default_buffer_prototype()) for key in keys)
    return [None if buffer is None else buffer.to_bytes() for buffer in found]
