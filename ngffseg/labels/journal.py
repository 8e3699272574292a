"""`Journal`: an update of stored labels that has begun, whole, so that whoever comes next can finish it.

An update writes many objects. What it is going to write is kept before the first of them; so it happens
altogether, once the journal is there, or not at all.
"""

from __future__ import annotations

import contextlib
import io
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numcodecs
import numpy as np
import numpy.typing as npt

from ngffseg.errors import JobError
from ngffseg.labels.places import JOBS
from ngffseg.store import put_object, read_objects, remove, take_lease

Box = tuple[slice, ...]
# Seconds to wait for another update of the same labels.
PATIENCE = 120.0
_packing = numcodecs.Zstd(level=1)


@dataclass(frozen=True, slots=True)
class Journal:
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
        Rows of the census of all chunks that the box touches, before and after.
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
def alone(url: str, name: str) -> Iterator[None]:
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
                lease.rest()
                remove(url, folder)
                removed = True
        finally:
            lease.release(removed=removed)


@contextlib.contextmanager
def replacing(url: str, names: Iterable[str]) -> Iterator[None]:
    """Hold label images that are going to be replaced; updates of them that died are forgotten."""
    with contextlib.ExitStack() as held:
        for name in sorted(names):
            held.enter_context(alone(url, name))
            end_journal(url, name)
        yield


def write_journal(url: str, name: str, journal: Journal) -> None:
    """Keep an update; from here on it will happen."""
    arrays = io.BytesIO()
    np.savez(arrays, labels=journal.labels, before=journal.before, after=journal.after)
    told = {
        "id": journal.id,
        "box": [[part.start, part.stop] for part in journal.box],
        "revision": journal.revision,
    }
    data = json.dumps(told).encode() + b"\n" + bytes(_packing.encode(arrays.getbuffer()))
    put_object(url, _key(name), data)


def read_journal(url: str, name: str) -> Journal | None:
    """The update that somebody has begun and not finished, if any."""
    data = read_objects(url, [_key(name)])[0]
    if data is None:
        return None
    head, _, body = data.partition(b"\n")
    told = json.loads(head)
    with np.load(io.BytesIO(bytes(_packing.decode(body)))) as arrays:
        parts = {key: arrays[key] for key in ("labels", "before", "after")}
    return Journal(told["id"], tuple(slice(*part) for part in told["box"]), told["revision"], **parts)


def end_journal(url: str, name: str) -> None:
    """The update is done."""
    remove(url, _key(name))


def _key(name: str) -> str:
    return f"{update_folder(name)}/journal.json"
