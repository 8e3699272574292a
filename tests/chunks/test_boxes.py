"""Boxes of stored arrays: exact wherever they lie, and nothing is fetched that is not in them."""

import functools
import pickle
import threading
import time

import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st

from ngffseg.chunks import BoxReader, Cache, stored_labels
from ngffseg.chunks import box as box_module
from ngffseg.chunks.upload_queue import WRITES, UploadQueue
from ngffseg.errors import ChunkError
from tests.examples import examples


class Counted:
    """Objects that tell what they were asked for."""

    def __init__(self, objects):
        self.objects, self.log = objects, []

    def get_many(self, wanted):
        self.log += wanted
        return self.objects.get_many(wanted)


def reader_of(array, cache=None):
    stored = stored_labels(array)
    stored.objects = Counted(stored.objects)
    return BoxReader(stored, cache)


FORMS = ("chunks", "shards", "index first")


def volume(shape, form, store=None):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2**64 - 1, shape, dtype=np.uint64)
    labels[rng.random(shape) < 0.5] = 0
    labels[: shape[0] // 2, :, : shape[2] // 2] = 0  # chunks and shards that are not there
    options = {"shards": (12, 8, 20)} if form != "chunks" else {}
    if form == "index first":
        from zarr.codecs import BytesCodec, ShardingCodec, ZstdCodec

        inner = [BytesCodec(), ZstdCodec(level=3)]
        codec = ShardingCodec(chunk_shape=(4, 4, 5), codecs=inner, index_location="start")
        array = zarr.create(
            shape=shape,
            store=store or {},
            zarr_format=3,
            chunks=(12, 8, 20),
            dtype="uint64",
            codecs=[codec],
            fill_value=0,
        )
    else:
        array = zarr.create_array(
            store or {}, shape=shape, chunks=(4, 4, 5), dtype="uint64", fill_value=0, **options
        )
    array[...] = labels
    return array, labels


SHAPE = (31, 17, 43)


@functools.cache
def stored(form):
    """A volume that is read again and again."""
    return volume(SHAPE, form)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("cached", [False, True])
@examples(30)
@given(data=st.data())
def test_boxes_are_those_of_the_array(form, cached, data):
    array, labels = stored(form)
    reader = reader_of(array, Cache(2000) if cached else None)
    for _ in range(3):
        box = []
        for size in SHAPE:
            start = data.draw(st.integers(0, size))
            box.append(slice(start, data.draw(st.integers(start, size))))
        reader.labels.objects.log.clear()
        found = reader.read(tuple(box))
        np.testing.assert_array_equal(found, labels[tuple(box)])
        assert found.dtype == np.uint64
        fetched = reader.labels.objects.log
        assert len(fetched) == len(set(fetched))


def test_a_shard_is_fetched_once_however_many_chunks_are_fetched_together():
    """Of 288 chunks 256 are fetched at a time, of which the last would lie in the middle of a shard."""
    array, labels = stored("shards")
    reader = reader_of(array, None)
    box = (slice(0, 29), slice(0, 13), slice(0, 41))
    np.testing.assert_array_equal(reader.read(box), labels[box])
    fetched = reader.labels.objects.log
    assert len(fetched) == len(set(fetched))


@pytest.mark.parametrize("batch", [8, 256])
def test_large_boxes_are_read_in_batches(batch, monkeypatch):
    monkeypatch.setattr(box_module, "BATCH", batch)
    for form in FORMS:
        array, labels = volume((70, 60, 50), form)
        reader = reader_of(array)
        np.testing.assert_array_equal(reader.read(tuple(slice(0, n) for n in labels.shape)), labels)


def test_one_chunk_is_one_object_or_an_index_and_a_range():
    array, _ = volume(SHAPE, "chunks")
    reader = reader_of(array)
    reader.read((slice(29, 31), slice(1, 3), slice(41, 42)))
    assert reader.labels.objects.log == [("c/7/0/8", None)]
    array, _ = volume(SHAPE, "shards")
    reader = reader_of(array, Cache())
    reader.read((slice(28, 29), slice(1, 3), slice(36, 37)))
    (index, chunk) = reader.labels.objects.log
    assert index[0] == chunk[0] == "c/2/0/1"
    assert index[1].size == 16 * 3 * 2 * 4 + 4
    assert isinstance(chunk[1], tuple)
    reader.read((slice(28, 29), slice(1, 3), slice(36, 37)))
    assert len(reader.labels.objects.log) == 2  # it was kept
    reader.read((slice(24, 25), slice(1, 3), slice(36, 37)))
    assert len(reader.labels.objects.log) == 3  # the index was kept
    fresh = reader_of(array)
    fresh.read((slice(24, 31), slice(0, 8), slice(20, 40)))
    assert fresh.labels.objects.log == [("c/2/0/1", None)]  # a whole shard as it is


def test_the_cache_forgets_what_was_used_longest_ago():
    cache = Cache(100)
    for number in range(3):
        cache.put(number, f"value {number}", 40)
    assert cache.get(2) == "value 2"
    with pytest.raises(KeyError):
        cache.get(0)
    cache.get(1)
    cache.put(3, "value 3", 40)
    with pytest.raises(KeyError):
        cache.get(2)
    cache.put(1, "larger", 60)
    assert (cache.get(1), cache.get(3), cache.size) == ("larger", "value 3", 100)
    cache.put(4, "larger than all", 101)
    with pytest.raises(KeyError):
        cache.get(4)
    assert cache.size == 100
    assert pickle.loads(pickle.dumps(cache)).size == 0


def test_what_was_kept_is_decoded_again_for_each_reader():
    array, labels = volume(SHAPE, "chunks")
    reader = reader_of(array, Cache())
    box = (slice(24, 31), slice(0, 8), slice(20, 40))
    reader.read(box)[...] = 5  # whoever changes what he got changes his own
    np.testing.assert_array_equal(reader.read(box), labels[box])


@pytest.mark.parametrize("form", ["shards", "index first"])
def test_damaged_shards(form, tmp_path):
    array, _ = volume(SHAPE, form, tmp_path / "a.zarr")
    file = tmp_path / "a.zarr/c/2/0/1"
    whole = file.read_bytes()
    box = (slice(28, 29), slice(1, 3), slice(36, 37))
    damaged = bytearray(whole)
    damaged[30 if form == "index first" else -30] ^= 1
    file.write_bytes(damaged)
    with pytest.raises(ChunkError, match=r"chunk 7/0/7 cannot be decoded .*checksum"):
        reader_of(array).read(box)
    file.write_bytes(whole[:50] if form == "shards" else whole[: len(whole) - 200])
    with pytest.raises(ChunkError, match="cannot be decoded"):
        reader_of(array).read((slice(24, 31), slice(0, 8), slice(20, 39)))


def test_a_window_holds_a_few_and_tells_the_first_failure():
    window, running, most, lock = UploadQueue(), [0], [0], threading.Lock()

    def work(number):
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.005)
        with lock:
            running[0] -= 1
        if number == 30:
            raise OSError("the disk of the server is full")

    def put_all():
        for number in range(100):
            window.run(work, number)
        window.flush()

    with pytest.raises(OSError, match="disk of the server"):
        put_all()
    with pytest.raises(OSError, match="disk of the server"):
        window.flush()
    assert 1 < most[0] <= WRITES
    assert running == [0]
    window.flush()
    assert isinstance(pickle.loads(pickle.dumps(window)), UploadQueue)
