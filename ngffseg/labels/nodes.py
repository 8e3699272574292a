"""Groups and arrays of a store: reading and writing their metadata, one object at a time."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numcodecs
import zarr
import zarr.errors
from zarr.abc.store import Store
from zarr.codecs import BloscCodec, ZstdCodec

from ngffseg.ngff import Version, zarr_format
from ngffseg.pyramid import Level
from ngffseg.store import open_store

# zstd without shuffle: shuffling makes wide labels two to four times larger.
ZSTD_LEVEL = 3


def find_group(store: Store, path: str) -> zarr.Group | None:
    """The group at a path, in whichever Zarr format it is; None if there is none."""
    if _leaves(path):
        return None
    try:
        return zarr.open_group(store, path=path, mode="r", use_consolidated=False)
    except (FileNotFoundError, zarr.errors.ContainsArrayError):
        return None


def find_array(store: Store, path: str) -> zarr.Array[Any] | None:
    """The array at a path, in whichever Zarr format it is; None if there is none."""
    if _leaves(path):
        return None
    try:
        return zarr.open_array(store, path=path, mode="r")
    except (FileNotFoundError, zarr.errors.NodeTypeValidationError, zarr.errors.ContainsGroupError):
        return None


def _leaves(path: str) -> bool:
    """Whether a path, which may come from damaged metadata, could leave the store."""
    return any(part in (".", "..") for part in path.split("/"))


def attributes_of(group: zarr.Group) -> dict[str, Any]:
    """All attributes of a group."""
    return dict(group.attrs.asdict())


def put_group(url: str, path: str, version: Version, attributes: Mapping[str, Any]) -> None:
    """Make a group with these attributes, or replace those that it has, as one object."""
    store = _store_at(url, path)
    if find_group(store, "") is None:
        zarr.create_group(store, zarr_format=zarr_format(version), attributes=dict(attributes))
        return
    group = zarr.open_group(store, mode="r+", use_consolidated=False)
    group.attrs.put(dict(attributes))


def create_array(url: str, path: str, level: Level, dtype: Any, version: Version) -> zarr.Array[Any]:
    """Make the array of a level, without any chunk: all of it is background."""
    form: dict[str, Any] = {
        "shards": level.shards,
        "compressors": ZstdCodec(level=ZSTD_LEVEL),
        # NGFF 0.5.2: "The `dimension_names` MUST match the names of the `axes`."
        "dimension_names": list(level.geometry.axes),
    }
    if zarr_format(version) == 2:
        form = {
            "compressors": numcodecs.Zstd(level=ZSTD_LEVEL),
            # 0.4: chunks are stored nested, with "/" between their numbers.
            "chunk_key_encoding": {"name": "v2", "separator": "/"},
        }
    return zarr.create_array(
        _store_at(url, path),
        shape=level.shape,
        chunks=level.chunks,
        dtype=dtype,
        fill_value=0,
        zarr_format=zarr_format(version),
        **form,
    )


def create_numbers(
    url: str, path: str, shape: Sequence[int], chunks: Sequence[int], version: Version
) -> zarr.Array[Any]:
    """Make an array of uint64 that is no image: a table or a list, which may grow."""
    # Columns of sorted numbers: here shuffling does help.
    form: dict[str, Any] = {"compressors": BloscCodec(cname="zstd", clevel=5, shuffle="shuffle", typesize=8)}
    if zarr_format(version) == 2:
        form = {"compressors": numcodecs.Blosc("zstd", 5, numcodecs.Blosc.SHUFFLE)}
    return zarr.create_array(
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


def refresh_consolidated(store: Store) -> None:
    """Write consolidated metadata anew where the store has it, so that it shows what was added."""
    try:
        group = zarr.open_group(store, mode="r")
    except FileNotFoundError:
        return
    if group.metadata.consolidated_metadata is None:
        return
    with warnings.catch_warnings():
        # Zarr warns that consolidated metadata is not part of the v3 specification; the store
        # has it already, and stale it would hide the new labels.
        warnings.simplefilter("ignore")
        zarr.consolidate_metadata(store)
