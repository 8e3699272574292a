"""The document of a group: made, or changed in the keys that are ours and in no others.

This is the one way to change a group. What others keep in it stays: attributes of any name, keys under
``ome``, members of the document that Zarr does not know, consolidated metadata.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ngffseg import ngff
from ngffseg.errors import MetadataError
from ngffseg.labels.nodes.documents import document_key
from ngffseg.store import put_object, read_objects

# Where Zarr v2 keeps what is said of a group, and that it is one.
ATTRIBUTES, GROUP = ".zattrs", ".zgroup"


def put_group(url: str, path: str, version: ngff.Version, attributes: Mapping[str, Any]) -> None:
    """Make a group with these attributes; of one that is there, change these and keep all others.

    Attributes under the key ``ome`` are changed one by one.

    Raises
    ------
    MetadataError
        If something else than a group is there, or one of a version that is not written.
    """
    if ngff.zarr_format(version) == 2:
        _put_old(url, path, version, attributes)
        return
    key = document_key(path, "zarr.json")
    there = _decoded(url, key, read_objects(url, [key])[0])
    if there is not None and there.get("node_type") != "group":
        raise MetadataError(f"{url}/{path} is an array where a group is to be: remove it, or use a new store")
    # In the order of zarr: equal stores have equal bytes, wherever they are.
    kept = there or {"attributes": {}, "zarr_format": 3, "node_type": "group"}
    changed = {**kept, "attributes": _merged(url, path, kept.get("attributes") or {}, version, attributes)}
    if changed != there:
        put_object(url, key, ngff.encode_json(changed, others=True))


def _put_old(url: str, path: str, version: ngff.Version, attributes: Mapping[str, Any]) -> None:
    keys = [document_key(path, file) for file in (GROUP, ATTRIBUTES)]
    group, data = read_objects(url, keys)
    there = _decoded(url, keys[1], data)
    changed = _merged(url, path, there or {}, version, attributes)
    # What says that this is a group stays as it is.
    if group is None:
        put_object(url, keys[0], ngff.encode_json({"zarr_format": 2}))
    if changed != there:
        put_object(url, keys[1], ngff.encode_json(changed, others=True))


def group_keys(path: str, version: ngff.Version) -> tuple[str, ...]:
    """Keys of the documents that `put_group` may write."""
    files = ("zarr.json",) if ngff.zarr_format(version) == 3 else (GROUP, ATTRIBUTES)
    return tuple(document_key(path, file) for file in files)


def _merged(
    url: str, path: str, there: Mapping[str, Any], version: ngff.Version, attributes: Mapping[str, Any]
) -> dict[str, Any]:
    check_versions(f"{url}/{path}".rstrip("/"), there, version)
    return ngff.merge_attributes(there, attributes)


def check_versions(where: str, attributes: Mapping[str, Any], version: ngff.Version) -> None:
    """Refuse to change a group that tells another version than the one that is written.

    Raises
    ------
    MetadataError
        If it does.
    """
    for stated in ngff.stated_versions(attributes):
        if stated != version:
            raise MetadataError(
                f"{where} is OME-Zarr {stated}: it is not rewritten as {version}, so use a new store for labels"
            )


def _decoded(url: str, key: str, data: bytes | None) -> dict[str, Any] | None:
    if data is None:
        return None
    try:
        document = ngff.parse_object(data)
    except MetadataError as error:
        raise MetadataError(f"{url}: {key} {error}: restore it from its source") from error
    if not isinstance(document.get("attributes", {}), dict):
        raise MetadataError(f"{url}: {key} holds no JSON object: restore it from its source")
    return document
