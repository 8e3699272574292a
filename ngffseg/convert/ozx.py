"""A whole store in one file: zipped OME-Zarr (RFC-9, ``.ozx``)."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from zarr.abc.store import Store
from zarr.buffer import default_buffer_prototype

from ngffseg.errors import MetadataError, StoreError, UsageError
from ngffseg.labels.jobs.progress import Progress
from ngffseg.labels.nodes.paths import BACKUP, JOBS, REGISTRY
from ngffseg.labels.read.address import split_address
from ngffseg.labels.read.image_group import open_image_group
from ngffseg.ngff import encode_json
from ngffseg.store import checked_path, open_store, store_can_list, store_errors
from ngffseg.zarr_internals import sync

# What belongs to the writing of a store, not to what it holds.
LEFT_OUT = (f"{REGISTRY}/", f"{JOBS}/", f"{BACKUP}/")
# The first version that has the root-level `zarr.json` that RFC-9 asks for.
VERSION = "0.5"
# Objects that are fetched together.
BATCH = 32
# The same store gives the same file; the first day that zip knows.
DAY = (1980, 1, 1, 0, 0, 0)


def write_archive(
    url: str | os.PathLike[str], path: str | os.PathLike[str], *, progress: Progress | None = None
) -> None:
    """Write a store, all images and labels of it, to one file.

    RFC-9: "The root of the ZIP archive MUST correspond to the root of the OME-Zarr hierarchy, and it
    MUST contain the OME-Zarr's root-level `zarr.json`." Entries are not packed again, and the metadata
    come first.

    Parameters
    ----------
    url
        Address of the store.
    path
        The file; it is replaced in one step.
    progress
        Called with the numbers of objects done and in all.

    Raises
    ------
    UsageError
        If one label image is named, or the store cannot list.
    MetadataError
        If the store is no OME-Zarr 0.5: before, there was no ``zarr.json``.
    StoreError
        If reading or writing fails; no file is left then.
    """
    address, name = split_address(url)
    if name is not None:
        raise UsageError(f"{path} would hold the whole store: give the address of {address}")
    with store_errors(address):
        store = open_store(address, contained=True)  # whoever unpacks the file has what links lead to
        if not store_can_list(store):
            raise UsageError(
                f"{address} cannot list what it holds: copy the store to a disk or a bucket first"
            )
        image_group = open_image_group(store, address)
        if image_group.version != VERSION:
            raise MetadataError(
                f"{address} is OME-Zarr {image_group.version}: a .ozx file holds 0.5, so write the labels to a new store"
            )
        keys = sorted(key for key in sync(_listed(store)) if not key.startswith(LEFT_OUT))
        target = Path(path)
        try:
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=".ngffseg-") as folder:
                aside = Path(folder) / target.name
                _fill(aside, store, _ordered(keys), progress)
                aside.replace(target)
        except StoreError:
            raise
        except OSError as error:
            raise StoreError(f"{path} was not written ({error.strerror or error}): check the disk") from error


async def _listed(store: Store) -> list[str]:
    return [key async for key in store.list()]


def _ordered(keys: Iterable[str]) -> list[str]:
    """Metadata in breadth-first order, the root first, then all else.

    RFC-9: "The root-level `zarr.json` file SHOULD be the first ZIP file entry and the first entry in the
    central directory header; other `zarr.json` files SHOULD follow immediately afterwards, in
    breadth-first order."
    """

    def place(key: str) -> tuple[bool, int, str]:
        """Metadata before the rest, by how deep they lie."""
        metadata = key.rpartition("/")[2] == "zarr.json"
        return not metadata, key.count("/") if metadata else 0, key

    return sorted(keys, key=place)


def _fill(file: Path, store: Store, keys: list[str], progress: Progress | None) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for number, (key, data) in enumerate(_objects(store, keys), 1):
            entry = zipfile.ZipInfo(checked_path(key), DAY)
            entry.external_attr = 0o644 << 16
            # RFC-9: "The ZIP64 format extension SHOULD be used, irrespective of the ZIP file size."
            with archive.open(entry, "w", force_zip64=True) as stream:
                stream.write(data)
            if progress is not None:
                progress(number, len(keys))
        # RFC-9: "The ZIP archive comment SHOULD contain an UTF-8-encoded JSON string with an `ome` attribute
        # that holds a `version` key with the OME-Zarr version as string value".
        ome = {"version": VERSION, "zipFile": {"centralDirectory": {"jsonFirst": True}}}
        archive.comment = encode_json({"ome": ome})


def _objects(store: Store, keys: list[str]) -> Iterator[tuple[str, bytes]]:
    """Objects in order, some fetched at the same time."""
    for start in range(0, len(keys), BATCH):
        batch = keys[start : start + BATCH]
        wanted = [(key, None) for key in batch]
        found = sync(store.get_partial_values(default_buffer_prototype(), wanted))
        for key, buffer in zip(batch, found, strict=True):
            if buffer is None:
                raise StoreError(f"{key} has vanished from {store}: run again")
            yield key, buffer.to_bytes()
