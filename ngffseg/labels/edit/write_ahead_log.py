"""`WriteAheadLog`: an update of stored labels that has begun, whole, so that whoever comes next can finish it.

An update writes many objects. What it is going to write is kept before the first of them; so it happens
altogether, once the write-ahead log is there, or not at all.
"""

from __future__ import annotations

import contextlib
import io
import json
import time
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numcodecs
import numpy as np
import numpy.typing as npt
import zarr

from ngffseg import ngff
from ngffseg.errors import Hint, JobError
from ngffseg.grid import Box
from ngffseg.labels.nodes.paths import JOBS
from ngffseg.ngff import encode_json
from ngffseg.pyramid import are_rows
from ngffseg.store import put_object, read_objects, remove, take_lease

# Seconds to wait for another update of the same labels.
PATIENCE = 120.0
_packing = numcodecs.Zstd(level=1)
# What is raised when an object is no write-ahead log.
DAMAGED = (
    ValueError,
    KeyError,
    TypeError,
    RuntimeError,
    EOFError,
    OSError,
    zipfile.BadZipFile,
    RecursionError,
)


@dataclass(frozen=True, slots=True)
class WriteAheadLog:
    """An update.

    Parameters
    ----------
    id
        Its name; arrays that it makes anew have it before theirs.
    box
        Slices of level 0.
    revision
        That of the labels when it is done.
    labels
        What the box holds then.
    before, after
        Rows of the statistics of all chunks that the box touches, before and after.
    """

    id: str
    box: Box
    revision: int
    labels: npt.NDArray[Any]
    before: npt.NDArray[np.uint64]
    after: npt.NDArray[np.uint64]


def update_folder(name: str) -> str:
    """Folder of the update of a label image that is under way."""
    return f"{JOBS}/{name}-update"


@contextlib.contextmanager
def update_lock(url: str, name: str) -> Iterator[None]:
    """Hold a label image against other updates, and against those who replace it.

    Raises
    ------
    JobError
        If another one takes too long.
    """
    folder, end, pause = update_folder(name), time.monotonic() + PATIENCE, 0.01
    while (lease := take_lease(url, folder)) is None:
        if time.monotonic() > end:
            raise JobError(f"{url}: another update of {name!r} is under way: wait for it, then try again")
        time.sleep(pause)
        pause = min(1.0, 2 * pause)
    try:
        yield
    finally:
        removed = False
        try:
            if read_objects(url, [_key(name)])[0] is None:
                lease.stop_heartbeat()
                remove(url, folder)
                removed = True
        finally:
            lease.release(removed=removed)


@contextlib.contextmanager
def exclusive(url: str, names: Iterable[str]) -> Iterator[None]:
    """Hold label images that are going to be replaced; updates of them that died are forgotten."""
    with contextlib.ExitStack() as held:
        for name in sorted(names):
            held.enter_context(update_lock(url, name))
            end_log(url, name)
        yield


def write_log(url: str, name: str, log: WriteAheadLog) -> None:
    """Keep an update; from here on it will happen."""
    arrays = io.BytesIO()
    np.savez(arrays, labels=log.labels, before=log.before, after=log.after)
    document = {
        "schema": ngff.schema_id("update"),
        "id": log.id,
        "box": [[part.start, part.stop] for part in log.box],
        "revision": log.revision,
    }
    data = encode_json(document) + b"\n" + bytes(_packing.encode(arrays.getbuffer()))
    put_object(url, _key(name), data)


def find_log(url: str, name: str) -> bytes | None:
    """The object of an update that somebody has begun and not finished; None if there is none."""
    return read_objects(url, [_key(name)])[0]


def read_log(url: str, name: str, data: bytes, level0: zarr.Array[Any]) -> WriteAheadLog:
    """The update that an object holds.

    Raises
    ------
    JobError
        If it is damaged, or no update of these labels.
    """
    try:
        return _decoded(data, level0)
    except DAMAGED as error:
        hint = Hint("rebuild", url, name)
        raise JobError(
            f"{url}: {_key(name)} is damaged ({' '.join(str(error).split())}), so the update that it holds cannot"
            f" be finished: run {hint}, which sets it aside and makes levels and index anew from level 0",
            hints=[hint],
        ) from error


def _decoded(data: bytes, level0: zarr.Array[Any]) -> WriteAheadLog:
    """The update in an object; of what it holds only that is believed which an update of these labels can be."""
    head, _, body = data.partition(b"\n")
    document = json.loads(head)
    broken = ngff.own_violations(document, "update", ngff.Place())
    if broken:
        raise ValueError(f"its head breaks the schema at {broken[0].where or '/'}")
    box = tuple(slice(int(start), int(stop)) for start, stop in document["box"])
    with np.load(io.BytesIO(bytes(_packing.decode(body)))) as arrays:
        labels, before, after = (arrays[key] for key in ("labels", "before", "after"))
    if len(box) != level0.ndim or any(
        not 0 <= part.start < part.stop <= size for part, size in zip(box, level0.shape, strict=True)
    ):
        raise ValueError(f"its box {document['box']} is none of {level0.shape}")
    if labels.dtype != level0.dtype.newbyteorder("=") or labels.shape != tuple(
        part.stop - part.start for part in box
    ):
        raise ValueError(f"its labels are {labels.dtype}, {labels.shape}")
    if not all(are_rows(rows, level0.shape, level0.chunks) for rows in (before, after)):
        raise ValueError("its counts are none of these labels")
    return WriteAheadLog(document["id"], box, int(document["revision"]), labels, before, after)


def set_aside_damaged(url: str, name: str, level0: zarr.Array[Any]) -> None:
    """Keep a write-ahead log that cannot be read beside the folder of updates, where it is in nobody's way."""
    data = find_log(url, name)
    try:
        if data is not None:
            read_log(url, name, data, level0)
    except JobError:
        put_object(url, f"{update_folder(name)}.damaged", data or b"")
        end_log(url, name)


def end_log(url: str, name: str) -> None:
    """The update is done."""
    remove(url, _key(name))


def _key(name: str) -> str:
    return f"{update_folder(name)}/journal.json"
