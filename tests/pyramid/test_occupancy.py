"""Sparse volumes: what is not there is neither read nor written nor visited, however large the shape."""

import numpy as np
import pytest
import zarr

from ngffseg import open_labels, segment_index, write_labels
from ngffseg.chunks import stored_labels
from ngffseg.labels import rebuild_levels
from ngffseg.pyramid import build_pyramid, downsample, plan_pyramid
from ngffseg.pyramid.occupancy import occupied_blocks
from ngffseg.workers import ThreadExecutor
from tests.chunks.test_chunks import objects

CHUNK = 64
# 64 gigavoxels; each corner gets a piece that reaches over the borders of chunks.
SHAPE = (4096, 4096, 4096)
CORNERS = [(0, 0, 0), (4000, 4000, 4000), (2047, 1000, 3333), (2000, 50, 70), (60, 4090, 2048)]


class Counted:
    """Objects of a store that count how often each is read and written."""

    proof = None

    def __init__(self, objects):
        self.objects, self.reads, self.writes = objects, [], []

    def get(self, key):
        self.reads.append(key)
        return self.objects.get(key)

    def put(self, key, data):
        self.writes.append(key)
        self.objects.put(key, data)

    def flush(self):
        self.objects.flush()

    def keys(self):
        return self.objects.keys()


def sparse_volume(folder, **form):
    array = zarr.create_array(folder, shape=SHAPE, chunks=(CHUNK,) * 3, dtype="uint32", fill_value=0, **form)
    for number, corner in enumerate(CORNERS):
        box = tuple(slice(a, min(a + 90, n)) for a, n in zip(corner, SHAPE, strict=True))
        array[box] = number + 1
    return zarr.open_array(folder, mode="r")


@pytest.mark.parametrize("shards", [None, (256, 256, 256)])
def test_only_what_is_there_is_read_and_written_and_once(shards, tmp_path):
    array = sparse_volume(tmp_path / "source", shards=shards)
    plan = plan_pyramid(SHAPE, "uint32", chunks=CHUNK, shards=shards)
    source = stored_labels(array)
    source.objects = reads = Counted(source.objects)
    targets = []
    for level in plan.levels:
        made = zarr.create_array(
            tmp_path / level.path, shape=level.shape, chunks=level.chunks, shards=level.shards, dtype="uint32"
        )
        targets.append(stored_labels(made))
        targets[-1].objects = Counted(targets[-1].objects)
    seen = []
    build_pyramid(plan, source, targets, ThreadExecutor(), progress=seen.append)
    there = objects(tmp_path / "source")
    assert sum(seen) == plan.block_count  # those with nothing under them are counted, not run
    assert len([s for s in seen if s == 1]) <= 60 < plan.block_count
    assert sorted(reads.reads) == sorted(set(reads.reads))
    assert len(reads.reads) == len(there)
    for target, level in zip(targets, plan.levels, strict=True):
        written = target.objects.writes
        assert len(written) == len(set(written)) <= len(there), level
        assert len(written) == len(target.occupied())


def test_a_sparse_volume_of_64_gigavoxels_is_exact(tmp_path):
    array = sparse_volume(tmp_path / "source")
    image = write_labels(tmp_path / "a.zarr", array, name="a", chunks=CHUNK, shards=None)
    for number, corner in enumerate(CORNERS):
        entry = segment_index(image)[number + 1]
        stops = [min(a + 90, n) for a, n in zip(corner, SHAPE, strict=True)]
        assert entry.box == tuple(zip(corner, stops, strict=True))
        assert entry.voxels == np.prod([b - a for a, b in entry.box])
        low = [a // 16 * 16 for a in corner]
        high = [-(-b // 16) * 16 for b in stops]
        region = array[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
        for level in range(1, 4):
            start = [a // 2**level for a in low]
            region = downsample(region, (2, 2, 2), start=start)
            found = image._arrays[level][
                tuple(slice(a, a + n) for a, n in zip(start, region.shape, strict=True))
            ]
            np.testing.assert_array_equal(found, region)
    assert len(segment_index(image)) == len(CORNERS)
    again = rebuild_levels(tmp_path / "a.zarr")
    assert len(segment_index(again)) == len(CORNERS)


def test_objects_beyond_the_shape_are_not_looked_at():
    plan = plan_pyramid((100, 100), "uint8", chunks=10, shards=None, levels=2)
    there = np.array([[0, 0], [50, 3], [9, 9]])
    blocks = list(occupied_blocks(plan, 0, there, (10, 10)))
    found = sorted(tuple(row) for _, rows in blocks for row in rows.tolist())
    assert found == [(0, 0), (9, 9)]


def test_a_volume_of_background_has_levels_and_no_object(tmp_path):
    image = write_labels(tmp_path / "a.zarr", np.zeros((150, 140, 130), np.uint64), name="a", shards=None)
    assert len(image._arrays) == 3
    assert objects(tmp_path / "a.zarr" / "labels" / "a") == []
    assert len(segment_index(image)) == 0
    rebuild_levels(tmp_path / "a.zarr")
    assert not open_labels(tmp_path / "a.zarr")._arrays[1][:].any()
