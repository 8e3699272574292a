"""Making groups and arrays of a store, and changing what they say of themselves, one object at a time."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numcodecs
import zarr
import zarr.errors
from zarr.abc.store import Store
from zarr.codecs import BloscCodec, GzipCodec, ZstdCodec
from zarr.core.buffer import default_buffer_prototype
from zarr.core.buffer.cpu import Buffer
from zarr.core.group import GroupMetadata
from zarr.core.metadata import ArrayV2Metadata, ArrayV3Metadata
from zarr.core.sync import sync
from zarr.storage import MemoryStore

from ngffseg.labels.documents import read_documents
from ngffseg.labels.nodes import find_group
from ngffseg.ngff import Version, zarr_format
from ngffseg.pyramid import Compression, Level, PyramidPlan
from ngffseg.store import open_store


def put_group(url: str, path: str, version: Version, attributes: Mapping[str, Any]) -> None:
    """Make a group with these attributes, or replace those that it has, as one object."""
    store = _store_at(url, path)
    group = find_group(store, "")
    if group is None:
        _put_metadata(store, "", GroupMetadata(dict(attributes), zarr_format(version)))
    else:
        put_attributes(store, group, attributes)


def put_attributes(store: Store, group: zarr.Group, attributes: Mapping[str, Any]) -> None:
    """Replace all attributes of a group of a store, as one object."""
    _put_metadata(store, group.path, replace(group.metadata, attributes=dict(attributes)), new=False)


def _put_metadata(
    store: Store,
    path: str,
    metadata: GroupMetadata | ArrayV2Metadata | ArrayV3Metadata,
    *,
    new: bool = True,
) -> None:
    """Write the metadata of a node, without the white space that would be half of a small store."""
    for key, buffer in metadata.to_buffer_dict(default_buffer_prototype()).items():
        if key == ".zgroup" and not new:
            continue  # what says in Zarr v2 that this is a group stays as it is
        document = json.loads(buffer.to_bytes())
        data = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
        sync(store.set(f"{path}/{key}".strip("/"), Buffer.from_bytes(data.encode())))


def create_array(url: str, path: str, level: Level, plan: PyramidPlan, version: Version) -> zarr.Array[Any]:
    """Make the array of a level, without any chunk: all of it is background."""
    form: dict[str, Any] = {
        "shards": level.shards,
        "compressors": _compressor(plan.compression),
        # NGFF 0.5.2: "The `dimension_names` MUST match the names of the `axes`."
        "dimension_names": list(level.geometry.axes),
    }
    if zarr_format(version) == 2:
        form = {
            "compressors": _compressor_v2(plan.compression),
            # 0.4: chunks are stored nested, with "/" between their numbers.
            "chunk_key_encoding": {"name": "v2", "separator": "/"},
        }
    return _create(
        _store_at(url, path),
        shape=level.shape,
        chunks=level.chunks,
        dtype=plan.dtype,
        fill_value=0,
        zarr_format=zarr_format(version),
        **form,
    )


def array_document(array: zarr.Array[Any]) -> dict[str, Any]:
    """The metadata of an array as they are stored."""
    stored = array.metadata.to_buffer_dict(default_buffer_prototype())
    key = "zarr.json" if "zarr.json" in stored else ".zarray"
    document: dict[str, Any] = json.loads(stored[key].to_bytes())
    return document


def _create(store: Store, **form: Any) -> zarr.Array[Any]:
    """Make an array at the root of a store; zarr works out its metadata."""
    _put_metadata(store, "", zarr.create_array(MemoryStore(), **form).metadata)
    return zarr.open_array(store, mode="r+", zarr_format=form["zarr_format"])


def _compressor(compression: Compression) -> Any:
    """The codec in Zarr v3; None for none."""
    match compression.codec:
        case "zstd":
            return ZstdCodec(level=compression.level)
        case "gzip":
            return GzipCodec(level=compression.level)
        case "blosc":
            return BloscCodec(cname="zstd", clevel=compression.level, shuffle="bitshuffle")
    return None


def _compressor_v2(compression: Compression) -> Any:
    """The codec in Zarr v2; None for none."""
    match compression.codec:
        case "zstd":
            return numcodecs.Zstd(level=compression.level)
        case "gzip":
            return numcodecs.GZip(level=compression.level)
        case "blosc":
            return numcodecs.Blosc("zstd", compression.level, numcodecs.Blosc.BITSHUFFLE)
    return None


def create_numbers(
    url: str, path: str, shape: Sequence[int], chunks: Sequence[int], version: Version
) -> zarr.Array[Any]:
    """Make an array of uint64 that is no image: a table or a list, which may grow."""
    # Columns of sorted numbers: here shuffling does help.
    form: dict[str, Any] = {"compressors": BloscCodec(cname="zstd", clevel=5, shuffle="shuffle", typesize=8)}
    if zarr_format(version) == 2:
        form = {"compressors": numcodecs.Blosc("zstd", 5, numcodecs.Blosc.SHUFFLE)}
    return _create(
        _store_at(url, path),
        shape=tuple(shape),
        chunks=tuple(chunks),
        dtype="uint64",
        fill_value=0,
        zarr_format=zarr_format(version),
        **form,
    )


def _store_at(url: str, path: str) -> Store:
    """A store whose root is the node itself: zarr makes groups of all parents otherwise."""
    return open_store(f"{url}/{path}".rstrip("/"), read_only=False)


def refresh_consolidated(url: str) -> None:
    """Write consolidated metadata anew where the store has it, so that it shows what was added."""
    root, old = read_documents(open_store(url), ["zarr.json", ".zmetadata"])
    if old is None and "consolidated_metadata" not in (root or {}):
        return
    with warnings.catch_warnings():
        # Zarr warns that consolidated metadata is not part of the v3 specification; the store
        # has it already, and stale it would hide the new labels.
        warnings.simplefilter("ignore")
        zarr.consolidate_metadata(open_store(url, read_only=False))
