"""The codec option: what is on disk, what others read, and what is not packed twice."""

import json

import numcodecs
import numpy as np
import pytest
import tensorstore
import zarr

from ngffseg import open_labels, plan_pyramid, segment_index, write_labels
from ngffseg.errors import UsageError
from tests.chunks.test_chunks import objects
from tests.labels.stores import unlistable

LABELS = (
    np.random.default_rng(0)
    .integers(0, 9, (12, 18, 20), dtype=np.uint16)
    .repeat(4, 0)
    .repeat(4, 1)
    .repeat(4, 2)
)
NAMES = {
    "zstd-7": ("zstd", 7),
    "gzip-2": ("gzip", 2),
    "blosc-5": ("blosc", 5),
    "small": ("zstd", 19),
    "none": (None, None),
    None: ("zstd", 3),
}


@pytest.mark.parametrize("codec", NAMES)
@pytest.mark.parametrize("version", ["0.5", "0.4"])
def test_the_codec_is_the_one_asked_for_and_others_read_it(codec, version, tmp_path):
    image = write_labels(tmp_path / "a.zarr", LABELS, name="a", ngff=version, codec=codec)
    array = image._arrays[0]
    name, level = NAMES[codec]
    steps = [
        getattr(c, "codec_id", None) or json.loads(json.dumps(c.to_dict()))["name"] for c in array.compressors
    ]
    assert steps == ([name] if name else [])
    if name:
        form = array.compressors[0]
        assert (form.level if name != "blosc" else form.clevel) == level
    folder = tmp_path / "a.zarr" / "labels" / "a" / "0"
    driver = "zarr3" if version == "0.5" else "zarr"
    spec = {"driver": driver, "kvstore": {"driver": "file", "path": str(folder)}}
    np.testing.assert_array_equal(tensorstore.open(spec).result().read().result(), LABELS)


def test_eight_bits_are_packed_harder_than_wide_labels():
    assert str(plan_pyramid((9, 9, 9), "uint8").compression) == "zstd-9"
    assert str(plan_pyramid((9, 9, 9), "int8").compression) == "zstd-9"
    assert {str(plan_pyramid((9, 9, 9), f"uint{n}").compression) for n in (16, 32, 64)} == {"zstd-3"}


@pytest.mark.parametrize(
    "codec", ["lzma", "zstd", "zstd-", "zstd-0", "zstd-23", "zstd-x", "gzip-10", "blosc--1", ""]
)
def test_codecs_that_do_not_exist_are_refused(codec, tmp_path):
    with pytest.raises(UsageError, match="use zstd-1 to zstd-22, gzip-1 to gzip-9"):
        write_labels(tmp_path / "a.zarr", LABELS, name="a", codec=codec)
    assert not (tmp_path / "a.zarr").exists()


def source(folder, **form):
    """Level 0 elsewhere, its chunks packed harder than its metadata say: nobody else makes these bytes."""
    array = zarr.create_array(folder, shape=LABELS.shape, dtype=LABELS.dtype, fill_value=0, **form)
    array[:] = LABELS
    for file in objects(folder) if array.shards is None else ():
        file.write_bytes(numcodecs.Zstd(19).encode(numcodecs.Zstd(1).decode(file.read_bytes())))
    return zarr.open_array(folder, mode="r")


def test_chunks_of_the_same_form_are_copied_as_they_are(tmp_path):
    array = source(tmp_path / "source", chunks=(16, 16, 16), compressors=zarr.codecs.ZstdCodec(level=3))
    image = write_labels(tmp_path / "a.zarr", array, name="a", chunks=16, shards=None)
    copied = {
        f.relative_to(tmp_path / "a.zarr/labels/a/0"): f.read_bytes()
        for f in objects(tmp_path / "a.zarr/labels/a/0")
    }
    assert copied == {
        f.relative_to(tmp_path / "source"): f.read_bytes() for f in objects(tmp_path / "source")
    }
    plain = write_labels(tmp_path / "b.zarr", LABELS, name="a", chunks=16, shards=None)
    for ours, theirs in zip(image._arrays, plain._arrays, strict=True):
        np.testing.assert_array_equal(ours[:], theirs[:])


@pytest.mark.parametrize(
    "options",
    [{"codec": "zstd-4"}, {"chunks": 8}, {"codec": "gzip-3"}],
)
def test_chunks_of_another_form_are_packed_anew(options, tmp_path):
    array = source(tmp_path / "source", chunks=(16, 16, 16), compressors=zarr.codecs.ZstdCodec(level=3))
    write_labels(tmp_path / "a.zarr", array, name="a", **{"chunks": 16, "shards": None} | options)
    theirs = {f.read_bytes() for f in objects(tmp_path / "source")}
    assert not theirs & {f.read_bytes() for f in objects(tmp_path / "a.zarr/labels/a/0")}
    np.testing.assert_array_equal(open_labels(tmp_path / "a.zarr")._arrays[0][:], LABELS)


def test_chunks_are_copied_from_shards_into_shards_and_out_of_them(tmp_path):
    form = {"chunks": (16, 16, 16), "shards": (32, 32, 32), "compressors": zarr.codecs.ZstdCodec(level=3)}
    array = source(tmp_path / "source", **form)
    for shards in (32, 48, None):
        image = write_labels(tmp_path / f"{shards}.zarr", array, name="a", chunks=16, shards=shards)
        np.testing.assert_array_equal(image._arrays[0][:], LABELS)


def test_metadata_take_no_more_room_than_they_need(tmp_path):
    write_labels(tmp_path / "a.zarr", LABELS, name="a")
    for file in (tmp_path / "a.zarr").rglob("zarr.json"):
        document = json.loads(file.read_text("utf-8"))
        if file.parent.name not in ("segments", "chunks", "fences"):  # zarr itself resizes these
            assert file.read_text("utf-8") == json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def test_organs_are_smaller_than_their_segmentation_file(slicer_files, tmp_path):
    from ngffseg import export_segmentation, import_segmentation

    import_segmentation(slicer_files / "Segmentation.seg.nrrd", tmp_path / "a.zarr", name="a")
    export_segmentation(tmp_path / "a.zarr", tmp_path / "a.seg.nrrd")
    chunks = sum(f.stat().st_size for f in objects(tmp_path / "a.zarr" / "labels" / "a" / "0"))
    assert chunks < (tmp_path / "a.seg.nrrd").stat().st_size


def test_a_source_on_a_server_that_cannot_list(tmp_path):
    sparse = LABELS.copy()
    sparse[:16] = 0
    array = zarr.create_array(
        tmp_path / "source", shape=sparse.shape, chunks=(16,) * 3, dtype="u2", fill_value=0
    )
    array[:] = sparse
    with unlistable(tmp_path) as server:
        remote = zarr.open_array(f"{server}/source", mode="r")
        image = write_labels(tmp_path / "a.zarr", remote, name="a", chunks=16)
        np.testing.assert_array_equal(image._arrays[0][:], sparse)
    assert len(segment_index(image)) == len(np.unique(sparse)) - 1
