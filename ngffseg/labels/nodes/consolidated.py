"""Consolidated metadata, which others keep in some groups: refreshed wherever it stands, made nowhere.

A group that holds it tells the metadata of all nodes below it, inline (Zarr v3) or in a file of its own
(Zarr v2). Stale, it hides what was added and names what is gone.
"""

from __future__ import annotations

import contextlib
import posixpath
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from zarr.abc.store import Store

from ngffseg.errors import MetadataError
from ngffseg.labels.nodes.documents import document_key
from ngffseg.ngff import encode_json, parse_object
from ngffseg.store import all_of, local_path, locked, open_store, put_object, read_objects
from ngffseg.zarr_internals import sync

INLINE, FILE = "zarr.json", ".zmetadata"
FILES = (INLINE, ".zgroup", ".zarray", ".zattrs")
# What stands in consolidated metadata at each group below: all is told at one place.
EMPTY = {"kind": "inline", "must_understand": False, "metadata": {}}


def refresh_consolidated(url: str, changed: Iterable[str], zarr_format: int) -> None:
    """Have consolidated metadata tell what is there now, in each group from which a change can be seen.

    Parameters
    ----------
    url
        Address of the store. On a local disk the groups around it are refreshed, too; elsewhere that would
        cost every write a request.
    changed
        Paths of groups of which something has changed: attributes, or what lies below.
    zarr_format
        That of the store.
    """
    _refresh(url, {above for path in changed for above in _above(path)}, zarr_format)
    for folder in _groups_around(url):
        with locked(str(folder)):
            _refresh(str(folder), {""}, 3 if (folder / INLINE).is_file() else 2)


def _above(path: str) -> Iterator[str]:
    """The path and all above it, up to the root."""
    while path:
        yield path
        path = posixpath.dirname(path)
    yield ""


def _groups_around(url: str) -> Iterator[Path]:
    root = local_path(url)
    for folder in root.parents if root is not None else ():
        if not any((folder / file).is_file() for file in (INLINE, ".zgroup")):
            return
        yield folder


def _refresh(url: str, paths: Collection[str], zarr_format: int) -> None:
    """Refresh groups of a store where they hold consolidated metadata."""
    keys = {path: document_key(path, INLINE if zarr_format == 3 else FILE) for path in paths}
    found = _documents(url, list(keys.values()))
    for path, key in keys.items():
        document = found.get(key, {})
        if zarr_format == 2 and "zarr_consolidated_format" in document:
            renewed = {**document, "metadata": _files_below(url, path)}
        elif zarr_format == 3 and isinstance(document.get("consolidated_metadata"), dict):
            inline = {**document["consolidated_metadata"], "metadata": _nodes_below(url, path)}
            renewed = {**document, "consolidated_metadata": inline}
        else:
            continue
        if renewed != document:
            put_object(url, key, encode_json(renewed, others=True))


def _nodes_below(url: str, path: str) -> dict[str, Any]:
    """What Zarr v3 tells of all nodes below a group."""
    nodes = {node: files[INLINE] for node, files in _walk(url, path) if INLINE in files}
    # Zarr says of each group below that all is told in this place.
    return {
        node: {**renewed, "consolidated_metadata": EMPTY} if renewed.get("node_type") == "group" else renewed
        for node, renewed in nodes.items()
    }


def _files_below(url: str, path: str) -> dict[str, Any]:
    """What Zarr v2 tells of a group and all nodes below it, by key."""
    own = _documents(url, [document_key(path, file) for file in FILES])
    below = {f"{node}/{file}": renewed for node, files in _walk(url, path) for file, renewed in files.items()}
    return {key.removeprefix(path).strip("/"): renewed for key, renewed in own.items()} | below


def _walk(url: str, group: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """All nodes below a group, level by level: path below it, and its documents by their names."""
    store, level = open_store(url), [group]
    while level:
        children = sync(_children(store, level))
        found = _documents(url, [document_key(child, file) for child in children for file in FILES])
        level = []
        for child in children:
            files = {f: found[document_key(child, f)] for f in FILES if document_key(child, f) in found}
            if files.keys() == {".zattrs"}:
                continue  # no node
            if files:
                yield child.removeprefix(group).strip("/"), files
            if ".zgroup" in files or files.get(INLINE, {}).get("node_type") == "group":
                level.append(child)


async def _children(store: Store, groups: Sequence[str]) -> list[str]:
    listed = await all_of(_names(store, group) for group in groups)
    return [document_key(group, name) for group, names in zip(groups, listed, strict=True) for name in names]


async def _names(store: Store, group: str) -> list[str]:
    return sorted([name async for name in store.list_dir(group)])


def _documents(url: str, keys: Sequence[str]) -> dict[str, Any]:
    """Documents that are there, by key; one that is no JSON object is what Zarr does not read either."""
    found = {}
    for key, data in zip(keys, read_objects(url, keys), strict=True):
        with contextlib.suppress(MetadataError):
            if data is not None:
                found[key] = parse_object(data)
    return found
