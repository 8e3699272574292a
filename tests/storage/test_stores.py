"""One suite for every kind of store: bytes in, bytes out, as zarr and ngffseg ask for them."""

import asyncio
import os
import pickle
import zipfile

import pytest
from zarr.abc.store import OffsetByteRequest, RangeByteRequest, SuffixByteRequest
from zarr.core.buffer import default_buffer_prototype
from zarr.core.buffer.cpu import Buffer
from zarr.core.sync import sync

from ngffseg.errors import StoreError, StoreNotFoundError, UsageError
from ngffseg.store import create_object, list_objects, open_store, remove, store_can_list
from tests.storage.kinds import LISTABLE, READABLE, WRITABLE, packed, readable, writable

FILES = {
    "zarr.json": b'{"zarr_format": 3}',
    "a/zarr.json": bytes(range(256)) * 4,
    "a/c/0/0": os.urandom(300_000),
    "a/c/0/10": b"x",
    "b/empty": b"",
    "b/odd name+ü%23&=@.json": b"odd",
}
PROTOTYPE = default_buffer_prototype()
PARTS = {
    "all": (None, slice(None)),
    "range": (RangeByteRequest(100, 250), slice(100, 250)),
    "range to the end": (RangeByteRequest(1000, 1024), slice(1000, 1024)),
    "suffix": (SuffixByteRequest(100), slice(-100, None)),
}


@pytest.fixture
def folder(tmp_path):
    for name, data in FILES.items():
        file = tmp_path / "source" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return tmp_path / "source"


@pytest.fixture(params=READABLE)
def store(request, folder, tmp_path):
    with readable(request.param, folder, request, tmp_path) as url:
        yield open_store(url)


def get(store, key, part=None):
    found = sync(store.get(key, PROTOTYPE, part))
    return None if found is None else found.to_bytes()


def listed(iterator):
    async def collect():
        return [item async for item in iterator]

    return sorted(sync(collect()))


@pytest.mark.parametrize("part", PARTS)
def test_objects_and_parts_of_them(store, part):
    request, there = PARTS[part]
    assert get(store, "a/zarr.json", request) == FILES["a/zarr.json"][there]


def test_all_objects(store):
    for key, data in FILES.items():
        assert get(store, key) == data
    assert get(store, "a/zarr.json", OffsetByteRequest(1000))[-24:] == FILES["a/zarr.json"][1000:]


def test_what_is_missing_is_none(store):
    assert get(store, "zarr.json") is not None  # who may not list is told nothing before
    for key in ("no", "a", "a/c/0/1", "a/zarr.json/c/0", "b/nothing.json"):
        assert get(store, key) is None
    assert not sync(store.exists("a/c/0/1"))
    assert sync(store.exists("a/c/0/10"))


def test_many_parts_at_the_same_time(store):
    wanted = [("a/zarr.json", RangeByteRequest(n, n + 5)) for n in range(200)]
    got = sync(store.get_partial_values(PROTOTYPE, [*wanted, ("a/c/0/0", None), ("zarr.json", None)]))
    data = FILES["a/zarr.json"]
    assert [b.to_bytes() for b in got[:200]] == [data[n : n + 5] for n in range(200)]
    assert got[200].to_bytes() == FILES["a/c/0/0"]


def test_a_store_travels(store):
    again = pickle.loads(pickle.dumps(store))
    assert again == store
    assert get(again, "a/c/0/0") == FILES["a/c/0/0"]
    assert b"ngffsegtestsecret" not in pickle.dumps(store)


@pytest.mark.parametrize("kind", sorted(set(READABLE) - set(LISTABLE)))
def test_what_cannot_list_says_so(kind, request, folder, tmp_path):
    with readable(kind, folder, request, tmp_path) as url:
        assert not store_can_list(open_store(url))


@pytest.mark.parametrize("kind", LISTABLE)
def test_listing(kind, request, folder, tmp_path):
    with readable(kind, folder, request, tmp_path) as url:
        store = open_store(url)
        assert store_can_list(store)
        assert listed(store.list()) == sorted(FILES)
        assert listed(store.list_prefix("a/")) == ["a/c/0/0", "a/c/0/10", "a/zarr.json"]
        assert listed(store.list_dir("")) == ["a", "b", "zarr.json"]
        assert listed(store.list_dir("a")) == ["c", "zarr.json"]
        assert listed(store.list_dir("nothing")) == []


@pytest.fixture(params=WRITABLE)
def url(request, tmp_path):
    return writable(request.param, request, tmp_path).new()


def put(store, key, data):
    sync(store.set(key, Buffer.from_bytes(data)))


def test_writing_and_removing(url):
    store = open_store(url, read_only=False)
    for key, data in FILES.items():
        put(store, key, b"older, and longer than some")
        put(store, key, data)
    large = os.urandom(20_000_000)
    put(store, "large", large)
    for key, data in (FILES | {"large": large}).items():
        assert get(store, key) == data
    sync(store.delete("a/c/0/10"))
    sync(store.delete("not/there"))
    assert get(store, "a/c/0/10") is None
    remove(url, "a/c")
    assert get(store, "a/c/0/0") is None
    assert get(store, "a/zarr.json") == FILES["a/zarr.json"]
    remove(url, "b/nothing")


def test_a_store_that_is_only_read_refuses_to_be_written(url):
    put(open_store(url, read_only=False), "a", b"1")
    store = open_store(url)
    with pytest.raises(ValueError, match="read-only"):
        put(store, "a", b"")
    assert get(store, "a") == b"1"


@pytest.mark.parametrize("url", [kind for kind in WRITABLE if kind != "local"], indirect=True)
def test_of_many_writers_one_creates(url):
    """The local disk has locks instead."""
    store = open_store(url, read_only=False)

    async def race():
        return await asyncio.gather(*(store.create("one", f"writer {n}".encode()) for n in range(8)))

    for _ in range(5):
        sync(store.delete("one"))
        won = sync(race())
        assert sum(won) == 1
        assert get(store, "one") == f"writer {won.index(True)}".encode()
    assert create_object(url, "two", b"same")
    assert create_object(url, "two", b"same")  # as after a reply that was lost
    assert not create_object(url, "two", b"other")
    sync(store.set_if_not_exists("two", Buffer.from_bytes(b"other")))
    assert get(store, "two") == b"same"
    assert sorted(list_objects(url, "t")) == ["two"]


def test_more_objects_than_one_listing_holds(bucket):
    client = bucket.server.client()
    for number in range(1005):
        client.put_object(Bucket=bucket.name, Key=f"x/many/{number}", Body=b"")
    url = f"{bucket.url}/x"
    assert len(list_objects(url, "many/")) == 1005
    remove(url, "many")
    assert bucket.keys() == {}


def test_archives_that_are_none(tmp_path, folder):
    with pytest.raises(StoreNotFoundError, match="there is no such file"):
        open_store(str(tmp_path / "none.ozx"))
    (tmp_path / "text.ozx").write_bytes(b"no zip at all" * 1000)
    with pytest.raises(StoreError, match=r"text\.ozx is no zip file"):
        get(open_store(str(tmp_path / "text.ozx")), "zarr.json")
    whole = packed(folder, tmp_path / "cut.ozx").read_bytes()
    (tmp_path / "cut.ozx").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StoreError, match=r"cut\.ozx is no zip file"):
        get(open_store(str(tmp_path / "cut.ozx")), "zarr.json")
    damaged = bytearray(whole)
    damaged[whole.index(FILES["a/c/0/0"]) + 5] ^= 1
    (tmp_path / "damaged.ozx").write_bytes(damaged)
    with pytest.raises(StoreError, match=r"a/c/0/0 is damaged"):
        get(open_store(str(tmp_path / "damaged.ozx")), "a/c/0/0")
    with pytest.raises(UsageError, match="is only read"):
        open_store(str(tmp_path / "damaged.ozx"), read_only=False)


def test_an_archive_of_many_entries_and_one_with_a_comment(tmp_path):
    with zipfile.ZipFile(tmp_path / "many.ozx", "w") as archive:
        for number in range(3000):
            archive.writestr(f"a/{number}", str(number))
        archive.comment = b"x" * 60_000
    store = open_store(str(tmp_path / "many.ozx"))
    assert get(store, "a/2999") == b"2999"
    assert get(store, "a/0", RangeByteRequest(0, 1)) == b"0"
