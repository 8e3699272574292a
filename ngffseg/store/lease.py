"""`Lease`: the sole right to a folder of a store, which ends with the process that holds it.

On the local disk it is a lock of the system. On an object store it is an object that only one can
create, ``owner.N.json``, and that its holder writes anew every few seconds. Whoever finds that it has
not been for long may create number N + 1; the owner of N learns it when it looks. How old it is, the server
tells: no two clocks are compared.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import Protocol

from ngffseg.errors import StoreError
from ngffseg.store.address import local_path
from ngffseg.store.client import ObjectInfo
from ngffseg.store.containment import inside
from ngffseg.store.objects import create_object, list_objects, place_of, put_object, read_objects, remove

if sys.platform != "win32":
    import fcntl

# Seconds: between two signs of life, and without one until somebody else may take over.
BEAT, LEASE = 3.0, 15.0
OWNER = "owner."


class Lease(Protocol):
    """The sole right to a folder of a store."""

    def held(self) -> bool:
        """Return True if nobody has taken over, as others may when we seem to be dead."""

    def stop_heartbeat(self) -> None:
        """Give no more signs of life: the folder is about to be removed, and must not come back."""

    def release(self, *, removed: bool = False) -> None:
        """Let others have it; ``removed`` tells that the folder is gone, or another's by now."""


def take_lease(url: str, folder: str) -> Lease | None:
    """The right to a folder, which is made; None if somebody has it who seems to be alive."""
    if local_path(url) is None:
        return _take_object(url, folder)
    return _take_lock(Path(inside(url, folder)))


def await_lease(url: str, folder: str) -> Lease | None:
    """The right to a folder, once it is known whether its holder is alive; None if it is."""
    end = time.monotonic() + (0.0 if local_path(url) is not None else LEASE + BEAT)
    while True:
        lease = take_lease(url, folder)
        if lease is not None or time.monotonic() > end:
            return lease
        time.sleep(1.0)


class DiskLease:
    """A lock on a folder of the local disk; the system ends it with the process."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def held(self) -> bool:
        """Nobody else can have it."""
        return True

    def stop_heartbeat(self) -> None:
        """The system knows that we live."""

    def release(self, *, removed: bool = False) -> None:  # noqa: ARG002
        """Unlock the folder."""
        os.close(self._descriptor)


def _take_lock(folder: Path) -> DiskLease | None:
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:
            continue  # its last holder is just removing it
        if sys.platform != "win32":
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                return None
        try:
            if os.path.samestat(os.fstat(descriptor), folder.stat()):
                return DiskLease(descriptor)
        except FileNotFoundError:
            pass
        os.close(descriptor)


class ObjectLease:
    """The newest owner of a folder of an object store; a thread shows that it lives."""

    def __init__(self, url: str, folder: str, number: int, token: str) -> None:
        self._url, self._folder, self._number, self._token = url, folder, number, token
        self._where = place_of(url)  # the thread may see other settings in the environment
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._live, name=f"lease of {folder}", daemon=True)
        self._thread.start()

    def _live(self) -> None:
        beats = 0
        while not self._end.wait(BEAT):
            beats += 1
            try:
                put_object(self._where, self._key, _owner(self._token, beats))
            except (StoreError, OSError):
                continue  # the next one may arrive

    @property
    def _key(self) -> str:
        return _key(self._folder, self._number)

    def held(self) -> bool:
        """Return True if no newer owner is there, and ours is."""
        numbers = _owners(self._url, self._folder)
        if max(numbers, default=0) != self._number:
            return False
        data = read_objects(self._url, [self._key])[0]
        return data is not None and json.loads(data)["owner"] == self._token

    def stop_heartbeat(self) -> None:
        """Give no more signs of life."""
        self._end.set()
        self._thread.join()

    def release(self, *, removed: bool = False) -> None:
        """Remove what says that we own it."""
        self.stop_heartbeat()
        if not removed:
            remove(self._url, self._key)


def _take_object(url: str, folder: str) -> ObjectLease | None:
    token = uuid.uuid4().hex
    # An owner that leaves removes its object, so the first number is free where nobody holds the folder.
    if create_object(url, _key(folder, 1), _owner(token, 0)):
        return ObjectLease(url, folder, 1, token)
    number = max(_owners(url, folder), default=0)
    if number == 0 or _age(url, folder, number) < LEASE:
        return None
    if not create_object(url, _key(folder, number + 1), _owner(token, 0)):
        return None
    return ObjectLease(url, folder, number + 1, token)


def _owner(token: str, beats: int) -> bytes:
    return json.dumps({"owner": token, "beats": beats}, allow_nan=False).encode()


def _key(folder: str, number: int) -> str:
    return f"{folder}/{OWNER}{number:06d}.json"


def _owners(url: str, folder: str) -> dict[int, ObjectInfo]:
    """What is told of the owners of a folder, by their numbers."""
    prefix = f"{folder}/{OWNER}"
    found = list_objects(url, prefix)
    return {int(key.removeprefix(prefix).removesuffix(".json")): entry for key, entry in found.items()}


def _age(url: str, folder: str, number: int) -> float:
    """Seconds since an owner was last written, by the clock of the server.

    A server that tells no times is asked again after a while: an owner that lives has written its object anew.
    """
    clock = f"{folder}/clock-{uuid.uuid4().hex[:12]}.json"
    before = read_objects(url, [_key(folder, number)])[0]
    put_object(url, clock, b"{}")
    try:
        found = list_objects(url, f"{folder}/")
    finally:
        remove(url, clock)
    owner, now = found.get(_key(folder, number)), found.get(clock)
    if owner is None or now is None:
        return 0.0
    if owner.modified is not None and now.modified is not None:
        return now.modified - owner.modified
    time.sleep(LEASE)
    return LEASE if read_objects(url, [_key(folder, number)])[0] == before else 0.0
