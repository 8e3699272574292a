"""Levels above a stored level 0: equal to those of a write, whatever wrote level 0."""

import shutil

import numcodecs
import numpy as np
import pytest
import zarr

from ngffseg import open_labels, segment_index, write_labels
from ngffseg.errors import ChunkError, UsageError
from ngffseg.labels import check, rebuild_levels
from ngffseg.pyramid import Reduction, downsample
from tests.labels.stores import digest, faults

LABELS = np.random.default_rng(0).integers(0, 4, (70, 90, 50)).astype(np.uint16)
LABELS[:, :20] = 0


def levels_of(labels, count, reduction=None):
    levels = [labels]
    while len(levels) < count:
        levels.append(downsample(levels[-1], (2, 2, 2), reduction))
    return levels


def foreign(folder, version, path="labels/theirs", **form):
    """A label image of level 0 alone, as other programs write it, in a store of its own."""
    fmt = 3 if version == "0.5" else 2
    root = zarr.create_group(folder, zarr_format=fmt)
    axes = [{"name": n, "type": "space", "unit": "micrometer"} for n in "zyx"]
    scale = [{"type": "scale", "scale": [0.5, 0.5, 0.5]}]
    multiscales = {
        "name": "theirs",
        "axes": axes,
        "datasets": [{"path": "s0", "coordinateTransformations": scale}],
    }
    extra = (
        {"dimension_names": ["z", "y", "x"]}
        if fmt == 3
        else {"chunk_key_encoding": {"name": "v2", "separator": "/"}}
    )
    group = root.create_group(path)
    form = {"dtype": LABELS.dtype, "fill_value": 0} | extra | form
    array = group.create_array("s0", shape=LABELS.shape, **form)
    array[:] = LABELS
    wrap = (lambda m: {"ome": {"version": "0.5", **m}}) if fmt == 3 else (lambda m: m)
    if fmt == 2:
        multiscales["version"] = "0.4"
    group.attrs.put(
        wrap({"multiscales": [multiscales], "image-label": {"version": "0.4"} if fmt == 2 else {}})
    )
    zarr.open_group(folder)["labels"].attrs.put(wrap({"labels": ["theirs"]}))
    return folder


FORMS = {
    "v3 zstd": ("0.5", {"chunks": (32, 32, 32)}),
    "v3 sharded": ("0.5", {"chunks": (16, 16, 16), "shards": (32, 48, 16)}),
    "v3 gzip crc": ("0.5", {"chunks": (20, 40, 50), "compressors": [zarr.codecs.GzipCodec(), zarr.codecs.Crc32cCodec()]}),
    "v3 blosc": ("0.5", {"chunks": (70, 30, 50), "compressors": zarr.codecs.BloscCodec(cname="lz4", shuffle="bitshuffle")}),
    "v3 raw": ("0.5", {"chunks": (64, 64, 64), "compressors": None}),
    "v3 big endian": ("0.5", {"chunks": (33, 33, 33), "serializer": zarr.codecs.BytesCodec(endian="big")}),
    "v3 transposed, by zarr itself": ("0.5", {"chunks": (32, 32, 32), "filters": [zarr.codecs.TransposeCodec(order=(2, 1, 0))]}),
    "v2 blosc": ("0.4", {"chunks": (32, 32, 32), "compressors": numcodecs.Blosc("zstd", 5, numcodecs.Blosc.SHUFFLE)}),
    "v2 zlib": ("0.4", {"chunks": (1, 90, 50), "compressors": numcodecs.Zlib()}),
    "v2 big endian": ("0.4", {"chunks": (32, 32, 32), "dtype": ">u2"}),
    "v2 delta, by zarr itself": ("0.4", {"chunks": (32, 32, 32), "filters": [numcodecs.Delta(dtype="u2")]}),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_what_others_wrote_gets_its_levels_and_an_index(form, tmp_path):
    version, options = FORMS[form]
    store = foreign(tmp_path / "a.zarr", version, **options)
    before = digest(store / "labels" / "theirs" / "s0")
    image = rebuild_levels(store, "theirs", levels=3)
    assert digest(store / "labels" / "theirs" / "s0") == before
    assert [array.basename for array in image._arrays] == ["s0", "1", "2"]
    for got, want in zip(image._arrays, levels_of(LABELS, 3), strict=True):
        np.testing.assert_array_equal(got[:], want)
    assert image.geometry.shape == LABELS.shape
    assert [v for v in check(store) if v.severity == "MUST" and "theirs" in v.where] == []
    index = segment_index(image)
    assert {e.label_value: e.voxels for e in index} == {
        int(v): int(n) for v, n in zip(*np.unique(LABELS[LABELS > 0], return_counts=True), strict=True)
    }
    assert index[2].volume == pytest.approx(index[2].voxels * 0.5**3 * 1e-9)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_rebuilding_replaces_levels_and_leaves_nothing_behind(tmp_path, version):
    store = tmp_path / "a.zarr"
    write_labels(store, LABELS, name="a", ngff=version, chunks=32, method="nearest", levels=3)
    for _ in range(2):
        image = rebuild_levels(store, tie="smallest")
        for got, want in zip(image._arrays, levels_of(LABELS, 3, Reduction("mode", "smallest")), strict=True):
            np.testing.assert_array_equal(got[:], want)
        assert len(list(zarr.open_group(store)["labels/a"].array_keys())) == 3
        assert len(list(zarr.open_group(store)["ngffseg/index/a"].array_keys())) == 5
        assert len(segment_index(image)) == 3
        assert faults(store) == []


def test_a_placeholder_follows_the_labels(tmp_path):
    store = tmp_path / "a.zarr"
    write_labels(store, LABELS, name="a", levels=1)
    image = rebuild_levels(store, levels=4)
    assert len(image._arrays) == 4
    assert faults(store) == []


def test_an_image_with_data_decides_the_number_of_levels(tmp_path):
    store = tmp_path / "a.zarr"
    write_labels(store, LABELS, name="a", image=LABELS.astype(np.float32), levels=2)
    with pytest.raises(UsageError, match="has 2, and labels must have as many"):
        rebuild_levels(store, levels=3)
    assert len(rebuild_levels(store)._arrays) == 2


@pytest.mark.parametrize("shards", [None, 32])
def test_a_damaged_chunk_is_named_and_nothing_changes(tmp_path, shards):
    store = tmp_path / "a.zarr"
    write_labels(store, LABELS, name="a", chunks=16, shards=shards, levels=3)
    damaged = store / "labels" / "a" / "0" / "c" / "1" / "2" / "0"
    data = bytearray(damaged.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 40] = bytes(40)
    damaged.write_bytes(data)
    before = digest(store)
    with pytest.raises(ChunkError, match=r"labels/a/0: chunk \d/\d/\d cannot be decoded \(.*\): restore it"):
        rebuild_levels(store)
    assert digest(store) == before
    assert open_labels(store).read(level=2).any()


def test_a_shard_whose_index_is_damaged_is_named(tmp_path):
    store = tmp_path / "a.zarr"
    write_labels(store, LABELS, name="a", chunks=16, shards=32, levels=2)
    damaged = store / "labels" / "a" / "0" / "c" / "0" / "1" / "0"
    data = bytearray(damaged.read_bytes())
    data[-20] ^= 1
    damaged.write_bytes(data)
    with pytest.raises(ChunkError, match="checksum does not match"):
        rebuild_levels(store)


def test_a_root_label_image_is_refused_in_one_line(tmp_path):
    store = foreign(tmp_path / "a.zarr", "0.5", chunks=(32, 32, 32))
    shutil.copytree(store / "labels" / "theirs", tmp_path / "b.zarr")
    with pytest.raises(UsageError, match="at the root"):
        rebuild_levels(tmp_path / "b.zarr")


def test_levels_are_built_where_nobody_can_list_or_rename():
    """In a store of fsspec, without the moves of a local disk."""
    image = write_labels("memory://rebuild.zarr", LABELS, name="theirs", levels=1, chunks=16)
    assert len(image._arrays) == 1
    image = rebuild_levels("memory://rebuild.zarr", "theirs", levels=3, method="sparse")
    for got, want in zip(image._arrays, levels_of(LABELS, 3, Reduction("sparse")), strict=True):
        np.testing.assert_array_equal(got[:], want)
    assert len(segment_index(image)) == 3
    assert [v for v in check("memory://rebuild.zarr") if v.severity == "MUST"] == []
