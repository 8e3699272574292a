"""The segment index as it is stored: one of many found in a few requests, and every one exact."""

import itertools

import numpy as np
import pytest
import zarr

from ngffseg import open_labels, segment_index, write_labels
from ngffseg.chunks.folder import FolderObjects
from ngffseg.errors import LabelValueError, MetadataError, StoreNotFoundError
from ngffseg.labels.index import write as index_module
from ngffseg.labels.segments import segment_index as segments_module
from tests.labels.stores import faults, unlistable


def blocks_of_labels(shape, size, dtype, first):
    """A volume of cubes, each with a label of its own."""
    grid = [-(-n // size) for n in shape]
    ids = np.arange(np.prod(grid), dtype=np.uint64).reshape(grid) + np.uint64(first)
    for axis in range(3):
        ids = np.repeat(ids, size, axis)
    return ids[tuple(slice(n) for n in shape)].astype(dtype)


LABELS = blocks_of_labels((70, 65, 60), 5, np.uint64, 2**63 + 5)


@pytest.fixture(params=["local 0.5", "local 0.4", "memory 0.5", "http 0.5"])
def image(request, tmp_path, monkeypatch):
    monkeypatch.setattr(index_module, "ROWS_PER_CHUNK", 100)
    kind, version = request.param.split()
    url = "memory://index/a.zarr" if kind == "memory" else str(tmp_path / "a.zarr")
    write_labels(url, LABELS, name="cells", chunks=16, ngff=version, overwrite=True)
    if kind != "http":
        yield open_labels(url, "cells")
        return
    with unlistable(tmp_path) as server:
        yield open_labels(f"{server}/a.zarr", "cells")


def test_every_segment_is_exact(image):
    index = segment_index(image)
    values = np.unique(LABELS)
    assert len(index) == len(values) == len(list(index))
    np.testing.assert_array_equal(index.labels(), values)
    for value in [*values[:3].tolist(), *values[99:102].tolist(), *values[-3:].tolist()]:
        where = np.argwhere(value == LABELS)
        entry = index[value]
        assert entry.label_value == value
        assert entry.voxels == len(where)
        assert entry.box == tuple(zip(where.min(0).tolist(), (where.max(0) + 1).tolist(), strict=True))
        assert entry.centroid == tuple((where.sum(0) / len(where)).tolist())
        assert entry.volume is None  # nobody said how large a voxel is
        assert index.chunks(value).tolist() == sorted(map(list, set(map(tuple, (where // 16).tolist()))))
        assert entry.chunk_count == len(index.chunks(value))


@pytest.mark.parametrize("value", [0, 1, -1, 2**63 + 4, 2**64 - 1, 2**64])
def test_what_is_not_there_is_said(image, value):
    index = segment_index(image)
    assert value not in index
    with pytest.raises(LabelValueError, match=f"holds no label {value}"):
        index[value]


def test_finding_one_of_many_takes_three_reads(tmp_path, monkeypatch):
    monkeypatch.setattr(index_module, "ROWS_PER_CHUNK", 100)
    write_labels(tmp_path / "a.zarr", LABELS, name="cells", chunks=16)
    index = segment_index(open_labels(tmp_path / "a.zarr"))
    read = []
    real = FolderObjects.get_many

    def counting(self, wanted):
        read.extend((self.folder, key) for key, _ in wanted)
        return real(self, wanted)

    monkeypatch.setattr(FolderObjects, "get_many", counting)
    index.chunks(2**63 + 5 + 1234)
    assert len(read) == 3, read  # fence, one page of the table, one of the lists


def test_arrays_of_the_index_are_opened_once(tmp_path, monkeypatch):
    """However many segments are looked for."""
    write_labels(tmp_path / "a.zarr", LABELS, name="cells", chunks=16)
    index = segment_index(open_labels(tmp_path / "a.zarr"))
    opened = []
    real = segments_module.array_in
    monkeypatch.setattr(
        segments_module, "array_in", lambda url, group, name: opened.append(name) or real(url, group, name)
    )
    for value in index.labels()[:20].tolist():
        index.chunks(value)
    assert len(opened) == len(set(opened)) == 3


def test_an_image_of_other_programs_has_none(tmp_path):
    write_labels(tmp_path / "a.zarr", LABELS, name="cells", levels=1)
    del zarr.open_group(tmp_path / "a.zarr")["ngffseg/index/cells"]
    with pytest.raises(StoreNotFoundError, match="no segment index: count_segments counts it"):
        segment_index(open_labels(tmp_path / "a.zarr"))


@pytest.mark.parametrize(
    "change",
    [{"shape": [1, 1, 1]}, {"level": "7"}, {"columns": list("abcdefghij")}, {"segments": -1}, {"arrays": {}}],
)
def test_an_index_of_other_labels_is_refused(tmp_path, change):
    write_labels(tmp_path / "a.zarr", LABELS, name="cells", levels=1)
    group = zarr.open_group(tmp_path / "a.zarr")["ngffseg/index/cells"]
    group.attrs["ngffseg"] = {**group.attrs["ngffseg"], **change}
    with pytest.raises(MetadataError, match="index"):
        segment_index(open_labels(tmp_path / "a.zarr"))


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("url", ["local", "memory"])
def test_a_replaced_label_image_has_the_index_of_the_new_one(tmp_path, version, url):
    address = str(tmp_path / "a.zarr") if url == "local" else f"memory://replaced-{version}/a.zarr"
    write_labels(address, LABELS, name="cells", ngff=version, levels=2)
    new = (LABELS % 7).astype(np.uint8)
    image = write_labels(address, new, name="cells", overwrite=True)
    assert segment_index(image).labels().tolist() == [1, 2, 3, 4, 5, 6]
    assert (
        len(list(zarr.open_group(image._arrays[0].store, mode="r")["ngffseg/index/cells"].array_keys())) == 5
    )
    assert faults(address) == []


@pytest.mark.parametrize("shape", [(3, 2, 20, 30, 25), (2, 20, 30, 25), (40, 50)])
def test_axes_that_are_not_space_have_their_place(tmp_path, shape):
    labels = np.random.default_rng(0).integers(0, 9, shape).astype(np.int32)
    image = write_labels(tmp_path / "a.zarr", labels, name="a", chunks=16)
    for entry, value in zip(segment_index(image), range(1, 9), strict=True):
        where = np.argwhere(labels == value)
        assert entry.centroid == tuple((where.sum(0) / len(where)).tolist())
        assert entry.box == tuple(zip(where.min(0).tolist(), (where.max(0) + 1).tolist(), strict=True))


def test_labels_without_foreground_have_an_empty_index(tmp_path):
    image = write_labels(tmp_path / "a.zarr", np.zeros((40, 40, 40), np.uint8), name="none")
    index = segment_index(image)
    assert list(itertools.chain(index, index.labels())) == []
    assert 1 not in index
