"""Stamps: what tells a file on the local disk from one that took its place, without reading it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from zarr.abc.store import Store
from zarr.storage import LocalStore

from ngffseg.store import archive_of, local_path

# Inode, time of the last change in nanoseconds, size; None where there is no file.
Stamp = tuple[int, int, int] | None


def stamps_of(store: Store, path: str, zarr_format: int) -> dict[Path, Stamp]:
    """What tells an array on the local disk from one that takes its place; empty for other stores.

    To be asked before the metadata of the array are read: what is read then is of that array, or a later look
    finds another one.
    """
    archive = archive_of(store)
    file = local_path(archive) if archive is not None else None
    if isinstance(store, LocalStore):
        file = store.root / path / ("zarr.json" if zarr_format == 3 else ".zarray")
    return {} if file is None else {file: stamp_of(file)}


def stamp_of(file: Path) -> Stamp:
    """What a file is now."""
    try:
        status = file.stat()
    except (
        OSError,
        ValueError,
    ):  # the latter for names that no file can have: damaged metadata may hold them
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def times_of(stamps: Mapping[Path, Stamp]) -> list[int | None]:
    """When files were changed last."""
    return [None if stamp is None else stamp[1] for stamp in stamps.values()]
