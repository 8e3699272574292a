"""The kit by which zarr-python tests stores, for each kind of ours; nothing that it asks is changed.

A kind that is only read gets objects through another door, also where the kit writes them: the store is of a class
that puts them below the served folder, or packs the file anew. What the kit asks about writing itself is left out
there, and what it asks about listing where a server cannot list.
"""

import uuid
import zipfile
from pathlib import Path

import fsspec
import pytest
from zarr.core.buffer import cpu
from zarr.testing.store import StoreTests

from ngffseg.store import metered, open_store
from ngffseg.store.archive import ArchiveStore
from ngffseg.store.remote import RemoteStore
from tests.storage.plain import plain_server


def arguments(url):
    """What `RemoteStore` is made with at an address."""
    made = open_store(url, read_only=False)
    return {"url": made.url, "client": made._make, "server": made.server, "listing": made.listing}


class Kit(StoreTests[RemoteStore, cpu.Buffer]):
    """What is the same for all kinds; a subclass reads and writes objects without the code under test."""

    store_cls = RemoteStore
    buffer_cls = cpu.Buffer

    @pytest.fixture
    def store_kwargs(self, url):
        return arguments(url)

    async def set(self, store, key, value):
        self.write(store.url, key, value.to_bytes())

    async def get(self, store, key):
        return self.buffer_cls.from_bytes(self.read(store.url, key))

    def test_store_repr(self, store):
        assert repr(store) == f"RemoteStore({store.url!r})"

    def test_store_supports_writes(self, store):
        assert store.supports_writes
        assert store.supports_deletes

    def test_store_supports_listing(self, store):
        assert store.supports_listing


class TestMemory(Kit):
    @pytest.fixture
    def url(self):
        return f"memory://kit/{uuid.uuid4().hex}/a.ome.zarr"

    def write(self, url, key, data):
        fsspec.filesystem("memory").pipe_file(f"{url.removeprefix('memory:/')}/{key}", data)

    def read(self, url, key):
        return fsspec.filesystem("memory").cat_file(f"{url.removeprefix('memory:/')}/{key}")


class TestDisk(Kit):
    """The local disk through fsspec, as it is read while requests are counted."""

    @pytest.fixture
    def url(self, tmp_path):
        with metered():
            yield str(tmp_path / "a.ome.zarr")

    def write(self, url, key, data):
        file = Path(url, key)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)

    def read(self, url, key):
        return Path(url, key).read_bytes()


@pytest.fixture(scope="class")
def client(s3_server):
    """A client of the server, for all tests of a kind."""
    return s3_server.client()


@pytest.fixture(scope="class")
def kit_bucket(client):
    """Name of a bucket in which each test has a folder."""
    name = f"kit-{uuid.uuid4().hex[:12]}"
    client.create_bucket(Bucket=name)
    return name


class TestS3(Kit):
    """Through obstore."""

    @pytest.fixture
    def url(self, client, kit_bucket, s3_environment):  # noqa: ARG002
        self.client = client
        return f"s3://{kit_bucket}/{uuid.uuid4().hex}/a.ome.zarr"

    def write(self, url, key, data):
        name, _, prefix = url.removeprefix("s3://").partition("/")
        self.client.put_object(Bucket=name, Key=f"{prefix}/{key}", Body=data)

    def read(self, url, key):
        name, _, prefix = url.removeprefix("s3://").partition("/")
        return self.client.get_object(Bucket=name, Key=f"{prefix}/{key}")["Body"].read()


class TestS3fs(TestS3):
    @pytest.fixture(autouse=True)
    def without_obstore(self, monkeypatch):
        monkeypatch.setattr("ngffseg.store.url.has_obstore", lambda: False)


def left_out(reason):
    """A test of the kit that does not fit a kind of store."""

    def test(self):  # noqa: ARG001
        pytest.skip(reason)

    return test


class OnlyRead(Kit):
    """What is the same for kinds that are only read."""

    test_store_read_only = left_out("a store of this kind is never open to be written")
    test_set = test_set_many = test_set_not_open = test_set_if_not_exists = left_out(
        "a store of this kind is only read"
    )
    test_clear = left_out("a store of this kind is never emptied")

    @pytest.mark.parametrize("read_only", [True])
    async def test_store_open_read_only(self, open_kwargs, read_only):
        await super().test_store_open_read_only(open_kwargs, read_only)

    def test_store_supports_writes(self, store):
        assert not store.supports_writes
        assert not store.supports_deletes


class Served(RemoteStore):
    """A store on a plain web server, with the folder that it serves as the other door."""

    def __init__(self, folder, read_only=False, **arguments):
        super().__init__(**arguments, read_only=read_only)
        self.folder, self.shut = folder, read_only

    async def set(self, key, value):
        if self.shut:
            await super().set(key, value)
        put(self.folder, key, value)


def put(folder, key, value):
    (folder / key).parent.mkdir(parents=True, exist_ok=True)
    (folder / key).write_bytes(value.to_bytes())


@pytest.fixture(scope="class")
def served(request, tmp_path_factory):
    """A plain web server, in which each test has a folder."""
    with plain_server(tmp_path_factory.mktemp("served"), ranges=request.cls.ranges) as server:
        yield server


class TestHTTP(OnlyRead):
    store_cls = Served
    ranges = True
    test_list = test_list_prefix = test_list_dir = test_list_empty_path = left_out("plain HTTP cannot list")
    test_is_empty = test_getsize_prefix = test_list

    @pytest.fixture
    def store_kwargs(self, served):
        name = uuid.uuid4().hex
        return arguments(f"{served.url}/{name}") | {"folder": served.folder / name}

    async def set(self, store, key, value):
        put(store.folder, key, value)

    def test_store_supports_listing(self, store):
        assert not store.supports_listing


class TestHTTPWithoutRanges(TestHTTP):
    """The server answers with the whole object, whatever part it is asked for."""

    ranges = False


class Packed(ArchiveStore):
    """A store in an archive, with the file as the other door: it is packed anew."""

    def __init__(self, path, inside="", compression=zipfile.ZIP_STORED, read_only=False):
        self.path, self.compression, self.shut = path, compression, read_only
        if not path.exists():
            self.pack({})
        made = open_store(str(path))
        super().__init__(made.file, inside)

    def pack(self, objects):
        with zipfile.ZipFile(self.path, "w", self.compression) as archive:
            for key, data in objects.items():
                archive.writestr(key, data)

    async def set(self, key, value):
        if self.shut:
            await super().set(key, value)
        with zipfile.ZipFile(self.path) as archive:
            objects = {name: archive.read(name) for name in archive.namelist()}
        self.pack(objects | {f"{self.inside}/{key}".strip("/"): value.to_bytes()})
        vars(self).pop("_directory", None)  # it is read once


class TestArchive(OnlyRead):
    store_cls = Packed

    @pytest.fixture
    def store_kwargs(self, tmp_path):
        return {"path": tmp_path / "a.ozx"}

    async def set(self, store, key, value):
        await store.set(key, value)

    def test_store_repr(self, store):
        assert repr(store) == f"ArchiveStore({str(store.path)!r})"


class TestArchiveInside(TestArchive):
    """The store is a folder of the archive, and its entries are packed."""

    @pytest.fixture
    def store_kwargs(self, tmp_path):
        return {"path": tmp_path / "a.zip", "inside": "some/a.ome.zarr", "compression": zipfile.ZIP_DEFLATED}
