"""Groups and arrays of a store: reading and writing their metadata, one object at a time."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import zarr
import zarr.errors
from zarr.abc.store import Store
from zarr.codecs import ZstdCodec

from ngffseg.ngff import Version, zarr_format
from ngffseg.pyramid import Level

# zstd without shuffle: shuffling makes wide labels two to four times larger.
ZSTD_LEVEL = 3


def find_group(store: Store, path: str) -> zarr.Group | None:
    """The group at a path, in whichever Zarr format it is; None if there is none."""
    try:
        return zarr.open_group(store, path=path, mode="r", use_consolidated=False)
    except (FileNotFoundError, zarr.errors.ContainsArrayError):
        return None


def find_array(store: Store, path: str) -> zarr.Array[Any] | None:
    """The array at a path, in whichever Zarr format it is; None if there is none."""
    try:
        return zarr.open_array(store, path=path, mode="r")
    except (FileNotFoundError, zarr.errors.NodeTypeValidationError, zarr.errors.ContainsGroupError):
        return None


def attributes_of(group: zarr.Group) -> dict[str, Any]:
    """All attributes of a group."""
    return dict(group.attrs.asdict())


def put_group(store: Store, path: str, version: Version, attributes: Mapping[str, Any]) -> None:
    """Make a group with these attributes, or replace those that it has, as one object."""
    if find_group(store, path) is None:
        zarr.create_group(store, path=path, zarr_format=zarr_format(version), attributes=dict(attributes))
        return
    group = zarr.open_group(store, path=path, mode="r+", use_consolidated=False)
    group.attrs.put(dict(attributes))


def create_array(
    store: Store, path: str, level: Level, dtype: Any, version: Version, axes: Sequence[str]
) -> zarr.Array[Any]:
    """Make the array of a level, without any chunk: all of it is background."""
    if zarr_format(version) == 3:
        return zarr.create_array(
            store,
            name=path,
            shape=level.shape,
            chunks=level.chunks,
            shards=level.shards,
            dtype=dtype,
            compressors=ZstdCodec(level=ZSTD_LEVEL),
            fill_value=0,
            zarr_format=3,
            # NGFF 0.5.2: "The `dimension_names` MUST match the names of the `axes`."
            dimension_names=list(axes),
        )
    return zarr.create_array(
        store,
        name=path,
        shape=level.shape,
        chunks=level.chunks,
        dtype=dtype,
        compressors={"id": "zstd", "level": ZSTD_LEVEL},
        fill_value=0,
        zarr_format=2,
        chunk_key_encoding={"name": "v2", "separator": "/"},
    )


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
