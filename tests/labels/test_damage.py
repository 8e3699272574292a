"""Damaged chunks and shards: whoever reads them gets an error that names the chunk, or the right voxels.

What cannot be told is left out: a byte that was flipped where nothing checks it (no compression, Blosc, zstd
without its checksum) gives other voxels.
"""

import re
import struct
import uuid

import fsspec
import google_crc32c
import numcodecs
import numpy as np
import pytest
import zarr
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, GzipCodec, TransposeCodec, ZstdCodec

from ngffseg import export_segmentation, open_labels, segment_index, update_labels, write_labels
from ngffseg.errors import ChunkError
from ngffseg.labels import open_contents, open_image, open_segmentation
from ngffseg.napari_plugin.layers import grids_of, image_layers, label_layers
from tests.storage.kinds import fill

SHAPE, CHUNK = (16, 16, 16), (8, 8, 8)
LABELS = np.random.default_rng(0).integers(1, 9, SHAPE, dtype=np.uint16)
OURS = {
    "zstd": {"compressors": ZstdCodec(level=3, checksum=True)},
    "gzip": {"compressors": GzipCodec()},
    "blosc": {"compressors": BloscCodec()},
    "raw": {"compressors": None},
    "v2 gzip": {"compressors": numcodecs.GZip(3), "zarr_format": 2},
    "v2 blosc": {"compressors": numcodecs.Blosc(), "zarr_format": 2},
    "v2 raw": {"compressors": None, "zarr_format": 2},
}
SHARDS = {
    "shards gzip": {"compressors": GzipCodec(), "shards": SHAPE},
    "shards raw": {"compressors": None, "shards": SHAPE},
}
# Forms that zarr alone decodes.
FOREIGN = {
    "another fill value": {"compressors": GzipCodec(), "fill_value": 7},
    "raw, another fill value": {"compressors": None, "fill_value": 7},
    "big endian": {"compressors": GzipCodec(), "serializer": BytesCodec(endian="big")},
    "transposed": {"filters": [TransposeCodec(order=(2, 1, 0))], "compressors": [ZstdCodec(), Crc32cCodec()]},
    "v2, Fortran order": {"compressors": numcodecs.GZip(3), "zarr_format": 2, "order": "F"},
    "v2, filter": {"compressors": numcodecs.GZip(3), "zarr_format": 2, "filters": [numcodecs.Delta("u2")]},
}
FOREIGN_SHARDS = {"shards, another fill value": {"compressors": None, "shards": SHAPE, "fill_value": 7}}
FORMS = OURS | FOREIGN
ALL_SHARDS = SHARDS | FOREIGN_SHARDS
# Nothing checks the bytes that these hold.
UNCHECKED = ("raw", "blosc", "v2 raw", "v2 blosc", "raw, another fill value")


def packed(data, form):
    """Bytes as an array of a form would hold them in a chunk."""
    steps = form["compressors"]
    for step in steps if isinstance(steps, list) else [] if steps is None else [steps]:
        if isinstance(step, numcodecs.abc.Codec):
            data = bytes(step.encode(data))
        elif isinstance(step, Crc32cCodec):
            data = bytes(data) + google_crc32c.value(bytes(data)).to_bytes(4, "little")
        else:
            data = bytes({
                ZstdCodec: numcodecs.Zstd(3, checksum=True), GzipCodec: numcodecs.GZip(3), BloscCodec: numcodecs.Blosc()
            }[type(step)].encode(data))  # fmt: skip
    return bytes(data)


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 64]) + data[at + 1 :]


CHUNK_FAULTS = {
    "0 bytes": lambda _, __: b"",
    "truncated": lambda data, _: data[: len(data) // 2],
    "a byte flipped": lambda data, _: flipped(data, len(data) // 2),
    "bytes behind it": lambda data, _: data + b"\x01" * 7,
    "decodes to too little": lambda _, form: packed(bytes(range(1, 201)), form),
    "decodes to too much": lambda _, form: packed(bytes(range(1, 251)) * 5, form),
}
# These may also be harmless: what follows a chunk is not read by all codecs.
EITHER = ("bytes behind it",)


def with_index(data, change):
    """A shard whose index is changed, with a checksum that is right again."""
    table = bytearray(data[-132:-4])
    change(table)
    return data[:-132] + bytes(table) + google_crc32c.value(bytes(table)).to_bytes(4, "little")


def entry(offset, length):
    return lambda table: struct.pack_into("<QQ", table, 16, offset, length)


SHARD_FAULTS = {
    "0 bytes": lambda _: b"",
    "shorter than its index": lambda data: data[-50:],
    "the checksum of its index is wrong": lambda data: flipped(data, len(data) - 20),
    "index beyond its end": lambda data: with_index(data, entry(len(data), 1024)),
    "index beyond all files": lambda data: with_index(data, entry(2**63, 2**63 - 5)),
    "index says 10^12 bytes": lambda data: with_index(data, entry(0, 10**12)),
    "index says 0 bytes": lambda data: with_index(data, entry(16, 0)),
    "an offset and no length": lambda data: with_index(data, entry(2**64 - 1, 16)),
    "the start is cut off": lambda data: data[100:],
    "of the index only": lambda data: data[-132:],
}


OF_ALL_CHUNKS = ("0 bytes", "shorter than its index", "the checksum of its index is wrong")


def create(folder, form):
    """A label image and an image as another program writes them, the same array in both."""
    version = form.get("zarr_format", 3)
    scale = [{"type": "scale", "scale": [1.0, 1.0, 1.0]}]
    axes = [{"name": name, "type": "space"} for name in "zyx"]
    own = {} if version == 3 else {"version": "0.4"}
    multiscales = {"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": scale}], **own}
    groups = {"": {}, "labels": {"labels": ["a"]}, "labels/a": {"image-label": {}}}
    for path, metadata in groups.items():
        if path != "labels":
            metadata["multiscales"] = [multiscales]
        group = zarr.open_group(folder / path, mode="a", zarr_format=version)
        group.attrs.update({"ome": {"version": "0.5", **metadata}} if version == 3 else metadata)
        if path != "labels":
            options = {
                "fill_value": 0,
                "chunk_key_encoding": {"name": "default" if version == 3 else "v2", "separator": "/"},
            }
            group.create_array("0", shape=SHAPE, chunks=CHUNK, dtype="u2", **options | {k: v for k, v in form.items() if k != "zarr_format"})[:] = LABELS  # fmt: skip
    return folder


class Damaged:
    """A store on disk or in memory, of which the last object of both arrays is changed."""

    def __init__(self, kind, folder):
        self.url = str(folder) if kind == "disk" else f"memory://{uuid.uuid4().hex}/a.ome.zarr"
        if kind == "memory":
            fill(self.url, folder, None)
        self.fs, self.base = fsspec.core.url_to_fs(self.url)
        files = [
            f for f in (folder / "0").rglob("*") if f.is_file() and not f.name.startswith((".z", "zarr"))
        ]
        self.key = max(files).relative_to(folder).as_posix()
        self.whole = max(files).read_bytes()

    def put(self, change):
        """Have the object hold what a function of its bytes gives."""
        for folder in (self.base, f"{self.base}/labels/a"):
            self.fs.pipe_file(f"{folder}/{self.key}", change(self.whole))


READERS = {
    "read": lambda url: open_labels(url, "a").read(),
    "one voxel of each chunk": lambda url: np.stack([
        open_labels(url, "a").read([(z, z + 1), (9, 10), (9, 10)]) for z in (3, 12)]),
    "dask": lambda url: open_labels(url, "a").levels[0].compute(scheduler="synchronous"),
    "a layer of open_segmentation": lambda url: np.asarray(open_segmentation(url, "a").layers[0]),
    "image": lambda url: open_contents(url).image.read(),
    "open_image": lambda url: open_image(url).data[...],
}  # fmt: skip


def check(url, must, fault):
    """All readers, against the labels; each error names store, level, chunk and what to do."""
    place = rf"^{re.escape(url)}/(labels/a/)?0: chunk \d/\d/\d cannot be decoded \(.+\): restore it from its source$"
    for name, reader in READERS.items():
        wanted = LABELS if name != "one voxel of each chunk" else LABELS[[3, 12], 9, 9].reshape(2, 1, 1, 1)
        try:
            found = reader(url)
        except ChunkError as error:
            assert re.match(place, str(error)), error  # noqa: PT017
        else:
            np.testing.assert_array_equal(found, wanted, err_msg=f"{name}, {fault}")
            assert not must, f"{name} read a chunk that is damaged: {fault}"


@pytest.mark.parametrize("kind", ["disk", "memory"])
@pytest.mark.parametrize("form", FORMS)
def test_chunks(form, kind, tmp_path):
    store = Damaged(kind, create(tmp_path / "a", FORMS[form]))
    for fault, change in CHUNK_FAULTS.items():
        if fault == "a byte flipped" and form in UNCHECKED:
            continue
        store.put(lambda data, change=change: change(data, FORMS[form]))
        check(store.url, fault not in EITHER, fault)


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # zarr adds what the index says
@pytest.mark.parametrize("kind", ["disk", "memory"])
@pytest.mark.parametrize("form", ALL_SHARDS)
def test_shards(form, kind, tmp_path):
    store = Damaged(kind, create(tmp_path / "a", ALL_SHARDS[form]))
    for fault, change in SHARD_FAULTS.items():
        if fault == "the start is cut off" and form != "shards gzip":
            continue  # other bytes are some labels, too, where nothing checks them
        store.put(change)
        # Those that damage one chunk leave the others as they are.
        check(store.url, fault in OF_ALL_CHUNKS, fault)
        with pytest.raises(ChunkError, match="cannot be decoded"):
            open_labels(store.url, "a").read()


@pytest.mark.parametrize("form", ["gzip", "v2 blosc", "shards raw", "another fill value", "shards, another fill value"])  # fmt: skip
@pytest.mark.parametrize("fault", ["0 bytes", "truncated"])
def test_every_way_out_of_a_store(form, fault, tmp_path):
    """Exports, pyramids from it and layers of napari: an error, and no file is left."""
    folder = create(tmp_path / "a.ome.zarr", (FORMS | ALL_SHARDS)[form])
    Damaged("disk", folder).put(lambda data: CHUNK_FAULTS[fault](data, None))
    contents = open_contents(folder)
    ways = {
        "a.seg.nrrd": lambda: export_segmentation(folder, tmp_path / "a.seg.nrrd"),
        "a.nii.gz": lambda: export_segmentation(folder, tmp_path / "a.nii.gz"),
        "a layer of labels": lambda: np.asarray(
            label_layers(contents.segmentations[0][0], "a", grids_of(contents), None)[0][0][0]
        ),
        "a layer of the image": lambda: image_layers(contents.image, grids_of(contents)),
        "b.zarr": lambda: write_labels(tmp_path / "b.zarr", zarr.open_array(folder / "labels/a/0"), name="b"),
        "c.zarr": lambda: write_labels(
            tmp_path / "c.zarr", LABELS, name="c", image=zarr.open_array(folder / "0")
        ),
    }
    for name, way in ways.items():
        with pytest.raises(
            ChunkError, match=r"0: chunk \d/\d/\d cannot be decoded .*: restore it from its source"
        ):
            pytest.fail(f"{name}: {way()}")
        assert not (tmp_path / name).is_file(), name
    assert not [*tmp_path.glob("*/labels/[bc]")]


@pytest.mark.parametrize("options", [{"shards": None}, {"shards": 16}, {"ngff": "0.4"}], ids=str)
@pytest.mark.parametrize("kind", ["disk", "memory"])
def test_an_update_of_a_damaged_chunk(options, kind, tmp_path):
    url = str(tmp_path / "a.zarr") if kind == "disk" else f"memory://{uuid.uuid4().hex}/a.zarr"
    image = write_labels(url, LABELS, name="a", chunks=8, **options)
    fs, base = fsspec.core.url_to_fs(url)
    fs.pipe_file(f"{base}/labels/a/0/{'0/0/0' if 'ngff' in options else 'c/0/0/0'}", b"")
    with pytest.raises(ChunkError, match=r"chunk 0/0/0 cannot be decoded"):
        update_labels(image, [(2, 4)] * 3, np.ones((2, 2, 2), np.uint16))


def test_the_index_of_segments_is_checked(tmp_path):
    image = write_labels(tmp_path / "a.zarr", LABELS, name="a")
    (tmp_path / "a.zarr/ngffseg/index/a/segments/c/0/0").write_bytes(b"")
    with pytest.raises(ChunkError, match=r"index/a/segments: chunk 0/0 cannot be decoded"):
        segment_index(image)[3]


@pytest.mark.parametrize("fault", ["0 bytes", "truncated"])
def test_an_archive_holds_what_the_store_holds(fault, tmp_path):
    """Objects are copied as they are: damage stays, and is told when it is read."""
    folder = create(tmp_path / "a.ome.zarr", OURS["gzip"])
    Damaged("disk", folder).put(lambda data: CHUNK_FAULTS[fault](data, None))
    export_segmentation(folder, tmp_path / "a.ozx")
    with pytest.raises(ChunkError, match=r"a.ozx/labels/a/0: chunk 1/1/1 cannot be decoded"):
        open_labels(tmp_path / "a.ozx", "a").read()
