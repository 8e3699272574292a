"""Chunks without zarr: what zarr and tensorstore wrote is read, and they read what we write."""

import itertools

import numcodecs
import numpy as np
import pytest
import tensorstore
import zarr
from hypothesis import given
from hypothesis import strategies as st

from ngffseg.chunks import stored_labels
from ngffseg.errors import ChunkError
from tests.examples import examples

SHAPE = (21, 34, 19)
LABELS = np.random.default_rng(0).integers(0, 2**63, 40, dtype=np.uint64)[
    np.random.default_rng(1)
    .integers(0, 40, (11, 17, 10))
    .repeat(2, 0)
    .repeat(2, 1)
    .repeat(2, 2)[:21, :34, :19]
]
LABELS[:8, :16] = 0
ZSTD, GZIP, CRC = zarr.codecs.ZstdCodec(level=5), zarr.codecs.GzipCodec(), zarr.codecs.Crc32cCodec()
BIG = zarr.codecs.BytesCodec(endian="big")
V3 = {
    "zstd": {"chunks": (8, 16, 7), "compressors": ZSTD},
    "zstd with checksum": {"chunks": (8, 16, 7), "compressors": zarr.codecs.ZstdCodec(level=1, checksum=True)},
    "gzip crc": {"chunks": (8, 16, 7), "compressors": [GZIP, CRC]},
    "blosc": {"chunks": (8, 16, 7), "compressors": zarr.codecs.BloscCodec(cname="zstd", shuffle="bitshuffle")},
    "blosc lz4": {"chunks": SHAPE, "compressors": zarr.codecs.BloscCodec(cname="lz4", shuffle="shuffle")},
    "raw": {"chunks": (8, 16, 7), "compressors": None},
    "dots": {"chunks": (8, 16, 7), "chunk_key_encoding": {"name": "default", "separator": "."}},
    "keys of v2": {"chunks": (8, 16, 7), "chunk_key_encoding": {"name": "v2", "separator": "/"}},
    "shards": {"chunks": (4, 8, 7), "shards": (12, 16, 14), "compressors": ZSTD},
    "shards of raw chunks": {"chunks": (4, 8, 7), "shards": (12, 16, 14), "compressors": None},
    "index first": {
        "chunks": (12, 16, 14),
        "compressors": None,
        "serializer": zarr.codecs.ShardingCodec(chunk_shape=(4, 8, 7), codecs=[zarr.codecs.BytesCodec(), GZIP], index_location="start"),
    },
    "big endian": {"chunks": (8, 16, 7), "serializer": BIG, "compressors": ZSTD},
    "big endian, raw": {"chunks": (8, 16, 7), "serializer": BIG, "compressors": None},
    "big endian in shards": {
        "chunks": (12, 16, 14),
        "compressors": None,
        "serializer": zarr.codecs.ShardingCodec(chunk_shape=(4, 8, 7), codecs=[BIG, GZIP]),
    },
}  # fmt: skip
V2 = {
    "v2 big endian": {"dtype": ">u8", "compressors": numcodecs.Blosc("lz4", 5, numcodecs.Blosc.SHUFFLE)},
    "v2 big endian, raw": {"dtype": ">u8", "compressors": None},
    "v2 zstd": {"compressors": numcodecs.Zstd(9)},
    "v2 zlib": {"compressors": numcodecs.Zlib(1)},
    "v2 blosc": {"compressors": numcodecs.Blosc("lz4hc", 3, numcodecs.Blosc.SHUFFLE)},
    "v2 raw": {"compressors": None},
    "v2 slashes": {"compressors": numcodecs.GZip(3), "chunk_key_encoding": {"name": "v2", "separator": "/"}},
}
FORMS = {name: {"zarr_format": 3, **form} for name, form in V3.items()} | {
    name: {"zarr_format": 2, "chunks": (8, 16, 7), **form} for name, form in V2.items()
}
OTHERS = {
    "transposed": {"filters": [zarr.codecs.TransposeCodec(order=(2, 1, 0))]},
    "fill value": {"fill_value": 7},
    "checksum of raw bytes": {"compressors": [CRC]},
    "nested shards": {
        "serializer": zarr.codecs.ShardingCodec(
            chunk_shape=(8, 8, 8), codecs=[zarr.codecs.ShardingCodec(chunk_shape=(4, 4, 4))]
        ),
        "compressors": None,
    },
    "v2 in the order of Fortran": {"zarr_format": 2, "order": "F"},
    "v2 delta": {"zarr_format": 2, "filters": [numcodecs.Delta(dtype="u8")]},
}


def create(folder, dtype="uint64", **form):
    return zarr.create_array(folder, shape=SHAPE, dtype=dtype, **({"fill_value": 0} | form))


def read(stored, box):
    labels = stored.read(box, np.empty(int(np.prod(stored.chunks)), stored.dtype))
    return np.zeros([b.stop - b.start for b in box], stored.dtype) if labels is None else labels.copy()


def tiles(stored):
    return itertools.product(*(range(0, n, c) for n, c in zip(stored.shape, stored.chunks, strict=True)))


def fill(stored, labels):
    """Write all objects of an array, chunk by chunk; those of background are left out."""
    per_unit = [u // c for u, c in zip(stored.unit, stored.chunks, strict=True)]
    units = {}
    for corner in tiles(stored):
        tile = labels[tuple(slice(a, a + c) for a, c in zip(corner, stored.chunks, strict=True))]
        index = [a // c for a, c in zip(corner, stored.chunks, strict=True)]
        if tile.any():
            unit = tuple(i // n for i, n in zip(index, per_unit, strict=True))
            inside = tuple(i % n for i, n in zip(index, per_unit, strict=True))
            units.setdefault(unit, {})[inside] = stored.encode(np.ascontiguousarray(tile))
    for unit, parts in units.items():
        stored.put(unit, parts)
    return set(units)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("store", ["folder", "memory"])
def test_what_zarr_wrote_is_read(form, store, tmp_path):
    array = create(tmp_path / "a" if store == "folder" else zarr.storage.MemoryStore(), **FORMS[form])
    array[:] = LABELS
    stored = stored_labels(array)
    assert (stored.shape, stored.dtype, stored.chunks) == (SHAPE, np.uint64, array.chunks)
    for box in (
        (slice(0, 21), slice(0, 34), slice(0, 19)),
        (slice(3, 20), slice(15, 17), slice(1, 19)),
        *(tuple(slice(a, min(a + c, n)) for a, c, n in zip(corner, array.chunks, SHAPE, strict=True)) for corner in tiles(stored)),
    ):  # fmt: skip
        np.testing.assert_array_equal(read(stored, box), LABELS[box])
    keys = {tuple(index) for index in stored.occupied().tolist()}
    grid = itertools.product(*(range(-(-n // u)) for n, u in zip(SHAPE, stored.unit, strict=True)))
    assert keys == {i for i in grid if LABELS[tuple(slice(k * u, (k + 1) * u) for k, u in zip(i, stored.unit, strict=True))].any()}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_zarr_and_tensorstore_read_what_we_write(form, tmp_path):
    array = create(tmp_path / "a", **FORMS[form])
    units = fill(stored_labels(array), LABELS)
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "a", mode="r")[:], LABELS)
    driver = "zarr3" if array.metadata.zarr_format == 3 else "zarr"
    spec = {"driver": driver, "kvstore": {"driver": "file", "path": str(tmp_path / "a")}}
    np.testing.assert_array_equal(tensorstore.open(spec).result().read().result(), LABELS)
    files = [f for f in (tmp_path / "a").rglob("*") if f.is_file() and not f.name.startswith((".z", "zarr"))]
    assert len(files) == len(units)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
@pytest.mark.parametrize("form", ["zstd", "blosc", "gzip crc", "shards", "v2 zstd"])
def test_every_dtype(dtype, form, tmp_path):
    labels = (LABELS % np.uint64(np.iinfo(dtype).max)).astype(dtype)
    array = create(tmp_path / "a", dtype, **FORMS[form])
    fill(stored_labels(array), labels)
    np.testing.assert_array_equal(array[:], labels)
    np.testing.assert_array_equal(
        read(stored_labels(array), (slice(0, 21), slice(0, 34), slice(0, 19))), labels
    )


@pytest.mark.parametrize("form", OTHERS)
def test_other_forms_are_left_to_zarr(form, tmp_path):
    assert stored_labels(create(tmp_path / "a", **({"chunks": (8, 16, 8)} | OTHERS[form]))) is None


def objects(folder):
    return sorted(f for f in folder.rglob("*") if f.is_file() and not f.name.startswith((".z", "zarr")))


DAMAGE = {
    "cut in half": lambda data: data[: len(data) // 2],
    "empty": lambda _: b"",
    "a byte more than nothing": lambda data: data[:1],
    "not even alike": lambda data: b"\x00" * len(data),
    "of a smaller chunk": lambda _: bytes(numcodecs.Zstd(1).encode(b"\x01" * 64)),
    "of a larger chunk": lambda _: bytes(numcodecs.Zstd(1).encode(b"\x01" * 100_000)),
}


# Bytes that are not compressed and have no checksum are some labels, whatever they are.
DAMAGED = [(f, d) for f in FORMS for d in DAMAGE if d != "not even alike" or not f.endswith("raw")]


@pytest.mark.parametrize(("form", "damage"), DAMAGED)
def test_a_damaged_chunk_is_named(form, damage, tmp_path):
    array = create(tmp_path / "a", **FORMS[form])
    array[:] = LABELS
    file = objects(tmp_path / "a")[-1]
    file.write_bytes(DAMAGE[damage](file.read_bytes()))
    with pytest.raises(ChunkError, match=r"chunk \d/\d/\d cannot be decoded .*: restore it from its source"):
        read(stored_labels(array), (slice(0, 21), slice(0, 34), slice(0, 19)))


@examples(50)
@given(form=st.sampled_from(sorted(FORMS)), at=st.floats(0, 1, exclude_max=True), byte=st.integers(1, 255))
def test_a_flipped_byte_gives_labels_or_one_clear_error(form, at, byte, tmp_path_factory):
    folder = tmp_path_factory.mktemp("a")
    array = create(folder / "a", **FORMS[form])
    array[:] = LABELS
    file = objects(folder / "a")[-1]
    data = bytearray(file.read_bytes())
    data[int(at * len(data))] ^= byte
    file.write_bytes(data)
    try:
        assert read(stored_labels(array), (slice(0, 21), slice(0, 34), slice(0, 19))).shape == SHAPE
    except ChunkError as error:
        assert "restore it from its source" in str(error)  # noqa: PT017
    else:
        assert "crc" not in form, "a checksum finds every flipped byte"


def test_the_index_of_a_shard_is_checked(tmp_path):
    array = create(tmp_path / "a", **FORMS["shards"])
    array[:] = LABELS
    file = objects(tmp_path / "a")[-1]
    data = bytearray(file.read_bytes())
    data[-20] ^= 1
    file.write_bytes(data)
    with pytest.raises(ChunkError, match="checksum"):
        read(stored_labels(array), (slice(0, 21), slice(0, 34), slice(0, 19)))


def test_a_store_that_cannot_list_does_not_say_what_is_there():
    array = create(zarr.storage.MemoryStore(), **FORMS["zstd"])
    array[:] = LABELS
    stored = stored_labels(array, listing="none")
    assert stored.occupied() is None
    np.testing.assert_array_equal(
        read(stored, (slice(0, 8), slice(16, 32), slice(0, 7))), LABELS[:8, 16:32, :7]
    )
    assert stored.read((slice(0, 8), slice(0, 16), slice(0, 7)), np.empty(8 * 16 * 7, np.uint64)) is None
