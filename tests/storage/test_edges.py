"""What is asked at the edges, of every kind of store: odd parts, folders that are none, and several event loops."""

import asyncio
import uuid

import numpy as np
import pytest
from zarr.abc.store import OffsetByteRequest, RangeByteRequest, SuffixByteRequest
from zarr.core.buffer import cpu, default_buffer_prototype
from zarr.core.sync import sync
from zarr.storage import MemoryStore, WrapperStore

from ngffseg import write_labels
from ngffseg.errors import UsageError
from ngffseg.store import is_own_store, open_store
from tests.storage.kinds import LISTABLE, READABLE, WRITABLE, readable, writable
from tests.storage.plain import plain_server

PROTOTYPE = default_buffer_prototype()
FILES = {
    "zarr.json": b"{}",
    "a/x": b"0123456789",
    "a/empty": b"",
    "a.b/c": b"z",
    "a/deep/er/x": b"ab",
    "odd/name+ü%23&=@ #?": b"odd",
}
PARTS = (
    None,
    *(
        RangeByteRequest(*ends)
        for ends in [(0, 1), (3, 10), (8, 20), (4, 14), (10, 12), (15, 20), (3, 3), (0, 0)]
    ),
    *(OffsetByteRequest(start) for start in [0, 4, 10, 14]),
    *(SuffixByteRequest(size) for size in [0, 3, 10, 30]),
)
FOLDERS = ("", "/", "a", "a/", "a/x", "a/none", "none", "a/e", "a.", "a/deep", "odd", "zarr.json")
# Of zarr's stores the local one is not ours.
OURS = [kind for kind in READABLE if kind != "local"]


@pytest.fixture
def reference():
    return MemoryStore({key: cpu.Buffer.from_bytes(data) for key, data in FILES.items()})


@pytest.fixture
def store(request, tmp_path):
    for key, data in FILES.items():
        file = tmp_path / "source" / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    with readable(request.param, tmp_path / "source", request, tmp_path) as url:
        yield open_store(url)


@pytest.mark.parametrize("store", READABLE, indirect=True)
def test_listings_of_our_own_stores_are_believed(store):
    assert is_own_store(store)
    assert not is_own_store(WrapperStore(store))


def get(store, key, part):
    found = sync(store.get(key, PROTOTYPE, part))
    return None if found is None else found.to_bytes()


def collected(iterator):
    async def collect():
        return sorted([item async for item in iterator])

    return sync(collect())


def part_of(data, part):
    """What zarr says that a part is; its store in memory cuts too much of suffixes longer than the object."""
    match part:
        case RangeByteRequest(start, end):
            return data[start:end]
        case OffsetByteRequest(offset):
            return data[offset:]
        case SuffixByteRequest(size):
            return data[max(0, len(data) - size) :]
    return data


@pytest.mark.parametrize("store", OURS, indirect=True)
def test_parts_beyond_the_ends_of_objects(store):
    assert (
        get(store, "zarr.json", None) == b"{}"
    )  # who may not list is told nothing of what is missing before
    for key, data in FILES.items():
        for part in PARTS:
            assert get(store, key, part) == part_of(data, part), (key, part)
        assert sync(store.exists(key))
        assert sync(store.getsize(key)) == len(data)
    for part in PARTS:
        assert get(store, "a/none", part) is None, part
    assert not sync(store.exists("a/none"))


@pytest.mark.parametrize("store", [kind for kind in OURS if kind in LISTABLE], indirect=True)
def test_folders_and_prefixes(store, reference):
    for folder in FOLDERS:
        assert collected(store.list_dir(folder)) == collected(reference.list_dir(folder)), folder
        assert sync(store.is_empty(folder)) == sync(reference.is_empty(folder)), folder
        below = [
            key for key in FILES if f"{key}/".startswith(f"{folder.strip('/')}/") or not folder.strip("/")
        ]
        inside = [key for key in below if key != folder]
        assert sync(store.getsize_prefix(folder)) == sum(len(FILES[key]) for key in inside), folder
    for prefix in ("", "a", "a/", "a.", "a/e", "a/x", "o", "none", "a/deep/er"):
        assert collected(store.list_prefix(prefix)) == collected(reference.list_prefix(prefix)), prefix


@pytest.mark.parametrize("store", [kind for kind in OURS if kind not in LISTABLE], indirect=True)
def test_a_server_that_cannot_list_is_not_empty(store):
    for ask in (store.list_prefix, store.list_dir):
        with pytest.raises(UsageError, match="cannot list what it holds"):
            collected(ask(""))
    for ask in (store.getsize_prefix("a"), store.is_empty(""), store.clear()):
        with pytest.raises((UsageError, NotImplementedError)):
            sync(ask)
    assert not store.supports_writes
    assert store.read_only
    with pytest.raises(ValueError, match="does not support writing"):
        sync(store.set("a/x", cpu.Buffer.from_bytes(b"")))


def test_labels_for_a_plain_web_server_are_refused(tmp_path):
    with (
        plain_server(tmp_path) as server,
        pytest.raises(UsageError, match="which is only read: write to a folder"),
    ):
        write_labels(f"{server.url}/a.ome.zarr", np.ones((4, 4), np.uint8), name="a")
    assert set(server.counts()) <= {"GET"}


@pytest.mark.parametrize("kind", [kind for kind in WRITABLE if kind != "local"])
@pytest.mark.parametrize("folder", ["", "/", "a", "a/", "none", "a.", "a/x"])
def test_what_is_removed_with_a_folder(kind, folder, request, tmp_path):
    url = writable(kind, request, tmp_path).new()
    beside = open_store(f"{url.rpartition('/')[0]}/case.ome.zarr-{uuid.uuid4().hex}", read_only=False)
    store = open_store(url, read_only=False)
    for key, data in FILES.items():
        sync(store.set(key, cpu.Buffer.from_bytes(data)))
    sync(beside.set("a/x", cpu.Buffer.from_bytes(b"beside")))
    sync(store.delete_dir(folder))
    name = folder.strip("/")
    left = sorted(key for key in FILES if name and not key.startswith(f"{name}/"))
    assert collected(store.list()) == left
    assert collected(store.list_dir("")) == sorted({key.partition("/")[0] for key in left})
    assert get(beside, "a/x", None) == b"beside"


@pytest.mark.parametrize("store", OURS, indirect=True)
def test_a_store_is_used_from_several_loops(store):
    """As by zarr, and by a program that runs coroutines itself; more at a time than there are turns."""

    async def many():
        found = await asyncio.gather(*(store.get("a/x", PROTOTYPE) for _ in range(100)))
        return {buffer.to_bytes() for buffer in found}

    assert sync(many()) == asyncio.run(many()) == asyncio.run(many()) == {b"0123456789"}
