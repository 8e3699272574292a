"""`StorageLayout`: what the metadata of an array say about its bytes: keys, shards and compression."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import zarr

from ngffseg.chunks.codec import Codec, codec_of_v2, codec_of_v3
from ngffseg.chunks.shard import ShardLayout, shard_layout
from ngffseg.grid import Index
from ngffseg.zarr_internals import ArrayV2Metadata, ArrayV3Metadata


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys of objects: prefix "c/" in Zarr v3, and a separator."""

    prefix: str
    separator: str

    def key(self, index: Index) -> str:
        """Key of the object at an index."""
        return self.prefix + self.separator.join(map(str, index))

    def indices(self, keys: Iterable[str], ndim: int) -> Iterator[Index]:
        """Indices of those keys that are objects of chunks or shards."""
        for key in keys:
            numbers = key.removeprefix(self.prefix).split(self.separator)
            if key.startswith(self.prefix) and len(numbers) == ndim and all(map(str.isdecimal, numbers)):
                yield tuple(map(int, numbers))


@dataclass(frozen=True, slots=True)
class StorageLayout:
    """How the chunks of an array are stored."""

    codec: Codec
    keys: Keys
    shard: ShardLayout | None


def storage_layout(array: zarr.Array[Any]) -> StorageLayout | None:
    """The form of an array of labels; None if only zarr itself knows it."""
    metadata = array.metadata
    if metadata.fill_value != 0 or array.ndim == 0:
        return None
    return (
        _layout_v2(array, metadata) if isinstance(metadata, ArrayV2Metadata) else _layout_v3(array, metadata)
    )


def keys_of(array: zarr.Array[Any]) -> Keys | None:
    """Keys of the objects of an array; None if only zarr itself knows them."""
    metadata = array.metadata
    if isinstance(metadata, ArrayV2Metadata):
        return Keys("", metadata.dimension_separator)
    stored: Any = metadata.to_dict()
    encoding = stored["chunk_key_encoding"]
    separator = (encoding.get("configuration") or {}).get("separator", "/")
    if encoding["name"] not in ("default", "v2"):
        return None
    return Keys(f"c{separator}" if encoding["name"] == "default" else "", separator)


def _layout_v2(array: zarr.Array[Any], metadata: ArrayV2Metadata) -> StorageLayout | None:
    codec, keys = codec_of_v2(metadata.compressor, metadata.filters, array.dtype), keys_of(array)
    if codec is None or keys is None or metadata.order != "C":
        return None
    return StorageLayout(codec, keys, None)


def _layout_v3(array: zarr.Array[Any], metadata: ArrayV3Metadata) -> StorageLayout | None:
    stored: Any = metadata.to_dict()
    codecs, shard, keys = stored["codecs"], None, keys_of(array)
    if codecs[0]["name"] == "sharding_indexed":
        if len(codecs) > 1 or array.shards is None:
            return None
        configuration = codecs[0]["configuration"]
        shard = shard_layout(configuration, array.shards, array.chunks)
        codecs = configuration["codecs"]
        if shard is None or codecs[0]["name"] == "sharding_indexed":
            return None
    codec = codec_of_v3(codecs, array.dtype)
    return StorageLayout(codec, keys, shard) if codec is not None and keys is not None else None
