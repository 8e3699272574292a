"""Groups and arrays of a store, found by as few requests as can be: one where it is Zarr v3."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import zarr
from zarr import AsyncArray, AsyncGroup
from zarr.abc.store import Store
from zarr.storage import StorePath

from ngffseg.errors import MetadataError, StorePermissionError
from ngffseg.labels.nodes.documents import Document, document_key, read_documents
from ngffseg.store import is_inside

# What zarr raises when it cannot make sense of the metadata of an array.
ODD = (
    *(ValueError, TypeError, KeyError, AttributeError, RuntimeError, IndexError, AssertionError),
    *(ArithmeticError, SyntaxError),  # of numpy, for shapes and dtypes
)
GROUP_KEYS = {"multiscales", "labels", "image-label", "ngffseg"}


def find_group(store: Store, path: str) -> zarr.Group | None:
    """The group at a path, in whichever Zarr format it is; None if there is none.

    Raises
    ------
    MetadataError
        If its metadata is no JSON.
    """
    return find_groups(store, [path])[0]


def find_groups(
    store: Store, paths: Sequence[str], zarr_format: int | None = None
) -> list[zarr.Group | None]:
    """Groups at several paths, looked for at the same time, and only in one Zarr format if it is known."""
    documents = find_nodes(store, paths, zarr_format)
    return [group_of(store, path, document) for path, document in zip(paths, documents, strict=True)]


def find_nodes(store: Store, paths: Sequence[str], zarr_format: int | None = None) -> list[Document | None]:
    """Documents of the groups at several paths, and of arrays of Zarr v3; see `find_groups`."""
    inside = [path for path in paths if _may_be(path)]
    denied: StorePermissionError | None = None
    try:
        documents = dict(
            zip(inside, read_documents(store, [document_key(p, "zarr.json") for p in inside]), strict=True)
        )
    except StorePermissionError as error:
        # Perhaps they are only not there; who may not list is not told.
        denied, documents = error, {}
    missing = [path for path in inside if documents.get(path) is None and zarr_format != 3]
    documents |= dict(zip(missing, _old_groups(store, missing), strict=True))
    found = [documents.get(path) for path in paths]
    if denied is not None and not any(found):
        raise denied
    return found


def _old_groups(store: Store, paths: Sequence[str]) -> list[Document | None]:
    """Groups of Zarr v2, in the form of v3."""
    found = read_documents(store, [document_key(path, ".zattrs") for path in paths]) if paths else []
    documents: list[Document | None] = []
    for path, attributes in zip(paths, found, strict=True):
        # Arrays have attributes, too; those of OME-Zarr and ours are of groups alone.
        known = attributes is not None and not GROUP_KEYS.isdisjoint(attributes)
        if known or read_documents(store, [document_key(path, ".zgroup")])[0] is not None:
            documents.append({"zarr_format": 2, "node_type": "group", "attributes": attributes or {}})
        else:
            documents.append(None)
    return documents


def group_of(store: Store, path: str, document: Document | None) -> zarr.Group | None:
    """The group whose document is known already; None if it is none of a group.

    Raises
    ------
    MetadataError
        If the metadata cannot be understood.
    """
    if document is None or document.get("node_type") != "group":
        return None
    attributes = document.get("attributes", {})
    if not isinstance(attributes, dict):
        raise MetadataError(f"{store}: the attributes of group {path!r} are no JSON object")
    # Consolidated metadata is left out: it may be older than what it tells of.
    data = {"zarr_format": document.get("zarr_format", 3), "attributes": attributes}
    try:
        return zarr.Group(AsyncGroup.from_dict(StorePath(store, path), data))
    except ODD as error:
        raise MetadataError(f"{store}: group {path!r} cannot be understood ({error})") from error


def find_array(store: Store, path: str) -> zarr.Array[Any] | None:
    """The array at a path, in whichever Zarr format it is; None if there is none.

    Raises
    ------
    MetadataError
        If its metadata cannot be understood.
    """
    document = array_document(store, path)
    return None if document is None else array_of(store, path, document)


def array_document(store: Store, path: str) -> Document | None:
    """The metadata of the array at a path as they are stored, its attributes among them."""
    if not _may_be(path):
        return None
    found = read_documents(store, [document_key(path, "zarr.json")])[0]
    if found is None:
        array, attributes = read_documents(
            store, [document_key(path, ".zarray"), document_key(path, ".zattrs")]
        )
        found = None if array is None else {**array, "attributes": attributes or {}}
    elif found.get("node_type") != "array":
        return None
    return found


def find_arrays(store: Store, paths: Sequence[str], zarr_format: int) -> list[zarr.Array[Any] | None]:
    """Arrays of a known Zarr format at several paths, at the same time; without the attributes of v2."""
    file = "zarr.json" if zarr_format == 3 else ".zarray"
    inside = [path for path in paths if _may_be(path)]
    documents = dict(zip(inside, read_documents(store, [document_key(p, file) for p in inside]), strict=True))
    found: list[zarr.Array[Any] | None] = []
    for path in paths:
        document = documents.get(path)
        there = document is not None and (zarr_format == 2 or document.get("node_type") == "array")
        found.append(array_of(store, path, document) if document is not None and there else None)
    return found


def array_of(store: Store, path: str, document: Document) -> zarr.Array[Any]:
    """The array whose metadata is known already.

    Raises
    ------
    MetadataError
        If the metadata cannot be understood.
    """
    try:
        array = zarr.Array(AsyncArray.from_dict(StorePath(store, path), dict(document)))
        _check_chunks(array)
    except ODD as error:
        raise MetadataError(f"{store}: array {path!r} cannot be understood ({error})") from error
    return array


def _check_chunks(array: zarr.Array[Any]) -> None:
    """Zarr takes any chunk shape. Chunks without voxels, or of more bytes than can be counted, are an error here."""
    for chunks in (array.chunks, array.shards or array.chunks):
        if min(chunks, default=1) < 1 or math.prod(chunks) * array.dtype.itemsize >= 2**63:
            raise ValueError(f"chunks of shape {chunks}")


def attributes_of(group: zarr.Group) -> dict[str, Any]:
    """All attributes of a group."""
    return dict(group.attrs.asdict())


def _may_be(path: str) -> bool:
    """Return True if there may be a node at a path, which may come from damaged metadata."""
    return not path or is_inside(path)
