"""Making arrays and groups of a store, one object at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numcodecs
import zarr
import zarr.errors
from zarr import AsyncArray
from zarr.abc.store import Store
from zarr.buffer import default_buffer_prototype
from zarr.buffer.cpu import Buffer
from zarr.codecs import BloscCodec, GzipCodec, ZstdCodec
from zarr.storage import MemoryStore, StorePath

from ngffseg.ngff import Version, encode_json, zarr_format
from ngffseg.pyramid import Compression, Level, PyramidPlan
from ngffseg.store import create_object, inside, open_store
from ngffseg.zarr_internals import ArrayV2Metadata, ArrayV3Metadata, GroupMetadata, sync


def create_group(url: str, path: str, version: Version, attributes: Mapping[str, Any]) -> bool:
    """Make a group where there is none; return False if another one is there. An equal one counts as made.

    Only where objects can be created so; see `ngffseg.store.create_object`.
    """
    files = _files(GroupMetadata(dict(attributes), zarr_format(version)))
    return all(create_object(url, f"{path}/{file}".strip("/"), data) for file, data in files.items())


def put_array(store: Store, metadata: ArrayV2Metadata | ArrayV3Metadata) -> None:
    """Write the metadata of the array at the root of a store."""
    for file, data in _files(metadata).items():
        sync(store.set(file, Buffer.from_bytes(data)))


def _files(metadata: GroupMetadata | ArrayV2Metadata | ArrayV3Metadata) -> dict[str, bytes]:
    """Files of the metadata of a node and what they hold."""
    stored = metadata.to_buffer_dict(default_buffer_prototype())
    documents = {file: json.loads(buffer.to_bytes()) for file, buffer in stored.items()}
    return {
        file: encode_json(document)
        for file, document in documents.items()
        # Arrays of Zarr v2 need say nothing of attributes that they have not.
        if file != ".zattrs" or document or ".zgroup" in documents
    }


def create_array(url: str, path: str, level: Level, plan: PyramidPlan, version: Version) -> zarr.Array[Any]:
    """Make the array of a level, without any chunk: all of it is background."""
    metadata = _level_metadata(level, plan, version)
    store = store_at(url, path)
    put_array(store, metadata)
    return array_at(store, metadata)


def create_node(url: str, path: str, document: Mapping[str, Any]) -> bool:
    """Make an array, from the document of its metadata; False if there is another one."""
    file = "zarr.json" if document["zarr_format"] == 3 else ".zarray"
    return create_object(url, f"{path}/{file}", encode_json(document))


def level_documents(plan: PyramidPlan, version: Version) -> dict[str, Any]:
    """The metadata of the array of each level of a plan as they are stored, by path."""
    return {level.path: _document(_level_metadata(level, plan, version)) for level in plan.levels}


def _level_metadata(level: Level, plan: PyramidPlan, version: Version) -> ArrayV2Metadata | ArrayV3Metadata:
    options: dict[str, Any] = {
        "shards": level.shards,
        "compressors": _compressor(plan.compression),
        # NGFF 0.5.2: "The `dimension_names` MUST match the names of the `axes`."
        "dimension_names": list(level.geometry.axes),
    }
    if zarr_format(version) == 2:
        options = {
            "compressors": _compressor_v2(plan.compression),
            # 0.4: chunks are stored nested, with "/" between their numbers.
            "chunk_key_encoding": {"name": "v2", "separator": "/"},
        }
    return array_metadata(
        shape=level.shape,
        chunks=level.chunks,
        dtype=plan.dtype,
        fill_value=0,
        zarr_format=zarr_format(version),
        **options,
    )


def array_document(array: zarr.Array[Any]) -> dict[str, Any]:
    """The metadata of an array as they are stored."""
    return _document(array.metadata)


def _document(metadata: ArrayV2Metadata | ArrayV3Metadata) -> dict[str, Any]:
    files = _files(metadata)
    document: dict[str, Any] = json.loads(files.get("zarr.json") or files[".zarray"])
    return document


def array_metadata(**options: Any) -> ArrayV2Metadata | ArrayV3Metadata:
    """Metadata of an array, as zarr works them out."""
    return zarr.create_array(MemoryStore(), **options).metadata


def array_at(store: Store, metadata: ArrayV2Metadata | ArrayV3Metadata) -> zarr.Array[Any]:
    """The array at the root of a store whose metadata was just written."""
    return zarr.Array(AsyncArray(metadata=metadata, store_path=StorePath(store)))


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


def store_at(url: str, path: str) -> Store:
    """A store whose root is the node itself: zarr makes groups of all parents otherwise."""
    return open_store(inside(url, path), read_only=False)
