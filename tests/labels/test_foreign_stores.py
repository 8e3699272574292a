"""Zarr arrays in stores of other programs: what such a store does not list is not taken for background."""

import itertools
import json

import dask.array as da
import fsspec
import numpy as np
import pytest
import tifffile
import zarr
from zarr.experimental.cache_store import CacheStore
from zarr.storage import FsspecStore, LocalStore, LoggingStore, MemoryStore, WrapperStore, ZipStore

from ngffseg import segment_index, write_labels
from ngffseg.chunks.objects import FolderObjects
from ngffseg.labels.read.lazy_level import source_labels
from ngffseg.labels.read.levels import written_labels
from tests.labels.stores import unlistable
from tests.pyramid import brute
from tests.storage.kinds import packed

CHUNKS = (2, 32, 32)
LABELS = np.random.default_rng(0).integers(1, 300, (6, 6, 5)).astype(np.uint16).repeat(16, 1).repeat(16, 2)
LABELS = LABELS[:, :90, :75].copy()
LABELS[:, :32] = 0  # chunks that no store holds
FORMS = {
    "v3": {},
    "v2": {"zarr_format": 2},
    "shards": {"chunks": (1, 16, 16), "shards": CHUNKS},
}


def stored(store, form="v3", path=None):
    """An array of the labels in a store, opened anew."""
    array = zarr.create_array(
        store, name=path, shape=LABELS.shape, dtype=LABELS.dtype, **({"chunks": CHUNKS} | FORMS[form])
    )
    array[:] = LABELS
    return array


def check_written(folder, source, chunks=32):
    """Write labels from a source, and compare levels and index with brute force."""
    image = write_labels(folder / "a.ome.zarr", source, name="a", levels=2, factors=2, chunks=chunks)
    levels = [array[:] for array in image._arrays]
    np.testing.assert_array_equal(levels[0], LABELS)
    for below, level in itertools.pairwise(levels):
        np.testing.assert_array_equal(level, brute.mode(below, (2,) * below.ndim))
    values, counts = np.unique(LABELS[LABELS > 0], return_counts=True)
    assert {e.label_value: e.voxels for e in segment_index(image)} == dict(
        zip(values.tolist(), counts.tolist(), strict=True)
    )


def tiled(path):
    tifffile.imwrite(path, LABELS, tile=(32, 32))


def striped(path):
    tifffile.imwrite(path, LABELS, rowsperstrip=16)


def compressed_stack(path):
    tifffile.imwrite(path, LABELS, compression="zlib")


def pyramid(path):
    with tifffile.TiffWriter(path, bigtiff=True, ome=True) as writer:
        writer.write(LABELS, subifds=1, tile=(32, 32), compression="zlib", metadata={"axes": "ZYX"})
        writer.write(LABELS[:, ::2, ::2], subfiletype=1, tile=(32, 32), compression="zlib")


@pytest.mark.parametrize("write", [tiled, striped, compressed_stack, pyramid])
def test_a_tiff(write, tmp_path):
    write(tmp_path / "labels.ome.tif")
    with tifffile.imread(tmp_path / "labels.ome.tif", aszarr=True) as store:
        opened = zarr.open(store, mode="r")
        # A source of such chunks is read chunk by chunk where none of them is cut by the chunks that are written.
        check_written(tmp_path, opened if isinstance(opened, zarr.Array) else opened["0"], chunks=96)


def references(folder, form):
    """Virtual references to the objects of an array on the disk, as kerchunk and VirtualiZarr make them."""
    stored(folder, form, path="a")
    refs = {}
    for file in sorted(file for file in folder.rglob("*") if file.is_file()):
        key = file.relative_to(folder).as_posix()
        metadata = file.name.startswith(".z") or file.suffix == ".json"
        refs[key] = file.read_text() if metadata else [f"file://{file}", 0, file.stat().st_size]
    return {"version": 1, "refs": refs}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("root", ["", "/"])
def test_virtual_references(form, root, tmp_path):
    file = tmp_path / "references.json"
    file.write_text(json.dumps(references(tmp_path / "source.zarr", form)))
    fs = fsspec.filesystem("reference", fo=str(file), asynchronous=True, remote_protocol="file")
    check_written(tmp_path, zarr.open_array(FsspecStore(fs, read_only=True, path=root), path="a", mode="r"))


def test_a_reference_to_a_file_that_is_gone_is_an_error(tmp_path):
    found = references(tmp_path / "source.zarr", "v3")
    (tmp_path / "source.zarr/a/c/0/1/1").unlink()
    fs = fsspec.filesystem("reference", fo=found, asynchronous=True, remote_protocol="file")
    array = zarr.open_array(FsspecStore(fs, read_only=True, path=""), path="a", mode="r")
    with pytest.raises(Exception, match="a/c/0/1/1"):
        write_labels(tmp_path / "a.ome.zarr", array, name="a")
    assert not (tmp_path / "a.ome.zarr").exists()


def zipped(folder):
    stored(folder / "source.zarr", path="a")
    return ZipStore(packed(folder / "source.zarr", folder / "source.zip"), mode="r")


def in_memory(_):
    stored(store := MemoryStore(), path="a")
    return store


def fsspec_memory(folder):
    store = FsspecStore.from_url(f"memory://foreign{folder}/source.zarr")
    stored(store, path="a")
    return store


def fsspec_local(folder):
    stored(folder / "source.zarr", path="a")
    return FsspecStore.from_url(f"file://{folder}/source.zarr")


def wrapped(folder):
    return WrapperStore(in_memory(folder))


def logged(folder):
    return LoggingStore(in_memory(folder), log_level="CRITICAL")


def cached(folder):
    return CacheStore(in_memory(folder), cache_store=MemoryStore())


class Lying(WrapperStore):
    """A store that lists some of what it holds."""

    listed = 0

    def list_prefix(self, prefix):
        return self.some(prefix)

    async def some(self, prefix):
        self.listed += 1
        async for key in self._store.list_prefix(prefix):
            if self.is_listed(key):
                yield self.name(key)

    def is_listed(self, _key):
        return True

    def name(self, key):
        return key


class Nothing(Lying):
    def is_listed(self, _key):
        return False


class OnlyMetadata(Lying):
    def is_listed(self, key):
        return key.endswith(".json")


class OnlyChunks(Lying):
    """As one whose metadata come from elsewhere, so that it holds nothing by these keys."""

    def name(self, key):
        return f"before/{key}"


class FirstPage(Lying):
    """As one whose listing ends after a page."""

    def is_listed(self, key):
        return key.endswith(".json") or key < "a/c/0/2"


class Inverted(LocalStore):
    """Files that are not as the store gives them."""

    async def get(self, key, prototype, byte_range=None):
        found = await super().get(key, prototype, byte_range)
        if found is None or key.endswith(".json"):
            return found
        return prototype.buffer.from_bytes(bytes(255 - b for b in found.to_bytes()))

    async def set(self, key, value):
        data = value.to_bytes()
        await super().set(
            key, value if key.endswith(".json") else type(value).from_bytes(bytes(255 - b for b in data))
        )


class Failing(Lying):
    def is_listed(self, key):
        raise OSError(5, f"no listing of {key}")


def inverted(folder):
    stored(store := Inverted(folder / "source.zarr"), path="a")
    return store


SOURCES = (zipped, in_memory, fsspec_memory, fsspec_local, wrapped, logged, cached, inverted)
LIARS = (Nothing, OnlyMetadata, OnlyChunks, FirstPage, Failing)


@pytest.mark.parametrize("make", SOURCES)
def test_stores_of_zarr_and_fsspec(make, tmp_path):
    check_written(tmp_path, zarr.open_array(make(tmp_path), path="a", mode="r"))


def test_a_mapping_of_fsspec(tmp_path):
    stored(tmp_path / "source.zarr", path="a")
    check_written(tmp_path, zarr.open_array(fsspec.get_mapper(f"file://{tmp_path}/source.zarr/a"), mode="r"))


@pytest.mark.parametrize("kind", LIARS)
def test_stores_that_list_less_than_they_hold(kind, tmp_path):
    array = zarr.open_array(kind(in_memory(tmp_path)), path="a", mode="r")
    check_written(tmp_path, array)
    assert array.store.listed == 1


def test_a_dask_array_of_a_store_that_lists_nothing(tmp_path):
    tiled(tmp_path / "labels.tif")
    with tifffile.imread(tmp_path / "labels.tif", aszarr=True) as store:
        check_written(tmp_path, da.from_zarr(zarr.open_array(store, mode="r")))


def test_plain_http_inside_another_store(tmp_path):
    stored(tmp_path / "source.zarr", path="a")
    with unlistable(tmp_path) as server:
        store = WrapperStore(FsspecStore.from_url(f"{server}/source.zarr"))
        check_written(tmp_path, zarr.open_array(store, path="a", mode="r"))


def test_folders_that_we_open_are_read_and_written_as_files(tmp_path):
    image = write_labels(tmp_path / "a.ome.zarr", LABELS, name="a")
    for stored_level in (source_labels(image._arrays[0]), written_labels(image._arrays[1], tmp_path)):
        assert isinstance(stored_level.objects, FolderObjects)
        assert stored_level.occupied() is not None
