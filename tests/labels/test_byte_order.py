"""Big-endian labels, handed in or stored, are the same labels; what others store keeps its byte order."""

import json
import shutil

import dask.array as da
import nibabel
import numpy as np
import pytest
import zarr

from ngffseg import Segmentation, export_segmentation, open_labels, segment_index, update_labels, write_labels
from ngffseg.errors import MetadataError
from ngffseg.geometry import identity
from ngffseg.labels import rebuild_levels, write_segmentation
from ngffseg.napari_plugin.painting import Painting
from tests.labels.stores import digest

LARGE = 2**64 - 1
LABELS = np.random.default_rng(0).choice(np.array([0, 0, 3, 258, LARGE], "uint64"), (10, 12, 9)).repeat(3, 0)
BOX = ((4, 20), (3, 9), (0, 7))
BIG = zarr.codecs.BytesCodec(endian="big")
FORMS = {
    "v2": ("0.4", {"zarr_format": 2, "dtype": ">u8", "chunk_key_encoding": {"name": "v2", "separator": "/"}}),
    "v3": ("0.5", {"serializer": BIG}),
    "v3 in shards": ("0.5", {"serializer": zarr.codecs.ShardingCodec(chunk_shape=(8, 8, 8), codecs=[BIG])}),
}


def memory_map(folder, labels):
    mapped = np.memmap(folder / "map", labels.dtype, "w+", shape=labels.shape)
    mapped[:] = labels
    return mapped


def zarr_v3(folder, labels):
    return zarr.create_array(folder / "v3", data=labels, chunks=(8, 5, 4), serializer=BIG)


SOURCES = {
    "numpy": lambda _, labels: labels,
    "a view": lambda _, labels: labels[::-1].copy()[::-1],
    "memmap": memory_map,
    "dask": lambda _, labels: da.from_array(labels, chunks=7),
    "zarr v2": lambda f, labels: zarr.create_array(f / "v2", data=labels, chunks=(8, 5, 4), zarr_format=2),
    "zarr v3": zarr_v3,
}


@pytest.mark.parametrize(("source", "dtype"), [*((source, ">u8") for source in SOURCES), ("numpy", ">i2")])
def test_big_endian_sources_make_the_store_of_their_twin(source, dtype, tmp_path):
    labels = (LABELS if dtype == ">u8" else LABELS % 300).astype(dtype)
    given = SOURCES[source](tmp_path, labels)
    mine = write_labels(tmp_path / "a", given, name="a", chunks=8, levels=2)
    twin = write_labels(
        tmp_path / "b", labels.astype(np.dtype(dtype).newbyteorder("<")), name="a", chunks=8, levels=2
    )
    assert voxels(tmp_path / "a") == voxels(tmp_path / "b")
    assert list(segment_index(mine)) == list(segment_index(twin))
    grid = identity(labels.shape)
    write_segmentation(tmp_path / "c", Segmentation((given,), (), grid), name="a", chunks=8, levels=2)
    assert voxels(tmp_path / "c") == voxels(tmp_path / "b")


def voxels(store):
    """The objects of all levels, and the metadata of their arrays."""
    return digest(store / "labels" / "a") and {
        path: data for path, data in digest(store / "labels" / "a").items() if "/" in path
    }


def stored_pair(folder, form):
    """A store whose levels are big-endian, as zarr itself has written them, and its little-endian twin."""
    version, options = FORMS[form]
    write_labels(folder / "little", LABELS, name="a", chunks=8, levels=3, shards=None, ngff=version)
    shutil.copytree(folder / "little", folder / "big")
    for number, array in enumerate(open_labels(folder / "little")._arrays):
        path = folder / "big" / "labels" / "a" / str(number)
        shutil.rmtree(path)
        chunks = (16, 16, 16) if "shards" in form else array.chunks
        made = {"dtype": "uint64", "fill_value": 0, "shape": array.shape, "chunks": chunks} | options
        if version == "0.5":
            made["dimension_names"] = ["z", "y", "x"]
        if "shards" in form:
            made["compressors"] = None
        zarr.create_array(path, **made)[:] = array[:]
    return open_labels(folder / "big"), open_labels(folder / "little")


def is_big(folder):
    """Whether all levels are stored big-endian, by their metadata."""
    documents = [*folder.rglob("labels/a/[0-9]/.zarray"), *folder.rglob("labels/a/[0-9]/zarr.json")]
    told = [json.loads(path.read_text()) for path in documents]
    return len(told) == 3 and all('">u8"' in json.dumps(each) or '"big"' in json.dumps(each) for each in told)


def same(mine, twin):
    """Compare all levels, read by us and by zarr itself, and the index, which is counted anew from voxels."""
    for number, (array, other) in enumerate(zip(mine._arrays, twin._arrays, strict=True)):
        np.testing.assert_array_equal(array[:], other[:])
        np.testing.assert_array_equal(mine.read(level=number), other[:])
        assert mine.read(level=number).dtype == mine.levels[number].dtype == np.dtype("uint64")
    assert list(segment_index(mine)) == list(segment_index(twin))


@pytest.mark.parametrize("form", FORMS)
def test_stored_big_endian_labels_are_updated_as_they_are(form, tmp_path):
    mine, twin = stored_pair(tmp_path, form)
    assert is_big(tmp_path / "big")
    new = np.full([b - a for a, b in BOX], LARGE - 1, np.uint64)
    same(update_labels(mine, BOX, new.astype(">u8")), update_labels(twin, BOX, new))
    assert is_big(tmp_path / "big")


@pytest.mark.parametrize("form", FORMS)
def test_stored_big_endian_labels_are_painted_on_and_exported(form, tmp_path):
    mine, twin = stored_pair(tmp_path, form)
    for image in (mine, twin):
        painting = Painting(image)
        assert painting.dtype == painting[3].dtype == np.dtype("uint64")
        painting[3:20, :5] = 77
        painting[np.nonzero(painting[...] == LARGE)] = 5
        painting.save()
    same(open_labels(tmp_path / "big"), open_labels(tmp_path / "little"))
    assert is_big(tmp_path / "big")
    export_segmentation(tmp_path / "big", tmp_path / "a.nii.gz")
    values = np.asarray(nibabel.load(tmp_path / "a.nii.gz").dataobj)
    expected = open_labels(tmp_path / "little").read()
    np.testing.assert_array_equal(
        np.unique(values, return_counts=True), np.unique(expected, return_counts=True)
    )


@pytest.mark.parametrize("form", FORMS)
def test_levels_above_stored_big_endian_labels(form, tmp_path):
    stored_pair(tmp_path, form)
    before = digest(tmp_path / "big" / "labels" / "a" / "0")
    built = rebuild_levels(tmp_path / "big"), rebuild_levels(tmp_path / "little")
    same(*built)
    assert digest(tmp_path / "big" / "labels" / "a" / "0") == before
    new = np.full([b - a for a, b in BOX], 9, np.uint64)
    same(update_labels(built[0], BOX, new), update_labels(built[1], BOX, new))


def test_a_form_that_only_zarr_knows_is_not_updated(tmp_path):
    image = write_labels(tmp_path / "a", LABELS, name="a", chunks=8, levels=1, ngff="0.4")
    path = tmp_path / "a" / "labels" / "a" / "0"
    shutil.rmtree(path)
    zarr.create_array(path, data=LABELS, chunks=(8, 8, 8), zarr_format=2, order="F", fill_value=0)
    before, image = digest(path), open_labels(tmp_path / "a")
    with pytest.raises(MetadataError, match="an order or a fill value with which ngffseg does not write"):
        update_labels(image, BOX, np.ones([b - a for a, b in BOX], np.uint64))
    assert digest(path) == before
