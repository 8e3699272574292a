"""Which masks overlap, and where they are: against looking at all of them at once."""

import threading

import dask.array as da
import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st

from ngffseg.errors import ChunkError, LabelValueError
from ngffseg.labels.arrays import mask_layer, overlaps
from ngffseg.labels.arrays.mask_layer import MaskLayer, read_masks
from ngffseg.labels.arrays.overlaps import block_of, find_overlaps
from tests.examples import examples


class Counted:
    """A mask that is read when it is sliced, and counts how often each of its voxels was."""

    def __init__(self, mask, chunks=None):
        self.mask, self.shape, self.dtype, self.ndim = mask, mask.shape, mask.dtype, mask.ndim
        self.chunks = chunks or mask.shape
        self.reads, self.largest, self.lock = np.zeros(mask.shape, int), 0, threading.Lock()

    def __getitem__(self, box):
        with self.lock:
            self.reads[box] += 1
            self.largest = max(self.largest, self.reads[box].size)
        return self.mask[box]


def brute(masks):
    return [
        {other for other, mask in enumerate(masks) if other != number and (own & mask).any()}
        for number, own in enumerate(masks)
    ]


@st.composite
def stacks(draw):
    """Some masks of one shape: noise, boxes, and empty ones."""
    shape = tuple(draw(st.lists(st.integers(1, 14), min_size=2, max_size=4)))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    masks = []
    for kind in draw(st.lists(st.sampled_from(["noise", "dense", "box", "empty"]), min_size=1, max_size=8)):
        mask = np.zeros(shape, bool)
        if kind == "noise":
            mask = rng.random(shape) < 0.03
        elif kind == "dense":
            mask = rng.random(shape) < 0.6
        elif kind == "box":
            ends = [np.sort(rng.integers(0, n + 1, 2)) for n in shape]
            mask[tuple(slice(*end) for end in ends)] = True
        masks.append(mask)
    return masks, draw(st.sampled_from([1, 5, 40, 300, 2**21]))


@given(stacks())
@examples(40)
def test_overlaps_are_those_of_all_pairs(made):
    masks, block = made
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(overlaps, "BLOCK", block)
        found = find_overlaps(masks)
    assert list(found.others) == brute(masks)
    for number, mask in enumerate(masks):
        for voxel in np.argwhere(mask)[:50]:
            ((part, there),) = found.parts(tuple(slice(i, i + 1) for i in voxel))
            assert part == tuple(slice(i, i + 1) for i in voxel)
            assert number in there
        if not mask.any():
            assert not any(
                number in there for _, there in found.parts(tuple(slice(0, n) for n in mask.shape))
            )


def test_masks_are_looked_at_once_in_whole_chunks():
    rng = np.random.default_rng(0)
    masks = [rng.random((40, 50, 60)) < share for share in (0.001, 0.2, 0.9)]
    chunks = [(10, 50, 60), (20, 16, 60), (8, 8, 8)]
    counted = [Counted(mask, size) for mask, size in zip(masks, chunks, strict=True)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(overlaps, "BLOCK", 2**13)
        found = find_overlaps(counted)
    assert list(found.others) == brute(masks)
    assert found.block == (20, 50, 60)
    for each in counted:
        assert (each.reads == 1).all()
        assert each.largest == 20 * 50 * 60


@pytest.mark.parametrize(
    ("chunks", "shape", "block"),
    [
        ((1, 1), (3000, 3000), (2048, 1024)),
        ((64, 64, 64), (512, 512, 512), (128, 128, 128)),
        ((1000, 1000, 1000), (1000, 1000, 1000), (250, 250, 250)),
        ((1, 1, 1), (0, 5, 5), (1, 8, 8)),
        ((7, 7), (5, 5), (5, 5)),
    ],
)
def test_blocks_are_of_a_size_that_memory_holds(chunks, shape, block):
    assert block_of(chunks, shape, 2**21) == block


def test_a_thousand_small_masks_in_one_block_cost_their_own_voxels():
    """Pairs are not tried one by one: a set of masks is made for each that a mask touches."""
    rng = np.random.default_rng(0)
    corners = rng.integers(0, 590, (1000, 2))
    masks = []
    for y, x in corners:
        mask = np.zeros((600, 600), bool)
        mask[y : y + 10, x : x + 10] = True
        masks.append(mask)
    apart = abs(corners[:, None] - corners[None]).max(axis=2)
    near = {(a, b) for a, b in np.argwhere(apart < 10).tolist() if a < b}
    found = find_overlaps(masks)
    assert {(a, b) for a, there in enumerate(found.others) for b in there if a < b} == near
    assert len(near) > 100


def test_masks_of_dask_that_are_made_of_one_array_are_computed_together(monkeypatch):
    counts = []

    def counted(block):
        counts.append(block.shape)
        return block

    labels = np.random.default_rng(0).integers(0, 9, (20, 30)).astype(np.uint8)
    lazy = da.from_array(labels, chunks=(10, 30)).map_blocks(counted, meta=np.empty((0, 0), np.uint8))
    masks = dict(enumerate(lazy == value for value in range(1, 9)))
    found = dict(read_masks(masks, list(masks), (slice(0, 10), slice(0, 30))))
    assert all((found[n] == (labels[:10] == n + 1)).all() for n in masks)
    assert counts == [(10, 30)]
    # Of more masks than fit into memory together the blocks are smaller, as long as they are whole chunks.
    monkeypatch.setattr(overlaps, "TOGETHER", 8 * 300)
    monkeypatch.setattr(mask_layer, "TOGETHER", 8 * 300)
    counts.clear()
    assert find_overlaps(list(masks.values())).block == (10, 30)
    assert counts == [(10, 30)] * 2


def test_a_layer_is_computed_where_it_is_sliced():
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 5, (12, 14, 16))
    masks = {n: noise == n for n in (1, 2, 4)}
    layer = MaskLayer(masks, {1: 1, 2: 300, 4: 7})
    wanted = np.select([noise == 1, noise == 2, noise == 4], [1, 300, 7]).astype(np.uint16)
    assert (layer.shape, layer.dtype, layer.ndim) == (wanted.shape, wanted.dtype, 3)
    np.testing.assert_array_equal(np.asarray(layer), wanted)
    for index in ((3,), (slice(2, 9), ..., slice(None, None, 2)), (slice(0), 1), (..., -1)):
        np.testing.assert_array_equal(layer[index], wanted[index])


def test_a_layer_reads_only_masks_that_are_there(monkeypatch):
    monkeypatch.setattr(overlaps, "BLOCK", 100)
    masks = [Counted(np.zeros((40, 10), bool)) for _ in range(2)]
    masks[0].mask[12] = masks[1].mask[35] = True
    for mask in masks:
        mask.chunks = (10, 10)
    found = find_overlaps(masks)
    layer = MaskLayer(dict(enumerate(masks)), {0: 1, 1: 2}, found)
    assert [layer[start : start + 10].max() for start in (0, 10, 20, 30)] == [0, 1, 0, 2]
    assert [mask.reads[:, 0].tolist() for mask in masks] == [
        [1] * 10 + [2] * 10 + [1] * 20,
        [1] * 30 + [2] * 10,
    ]


def test_masks_that_change_are_not_written_over_each_other():
    masks = {n: np.zeros((4, 4), bool) for n in range(2)}
    layer = MaskLayer(masks, {0: 1, 1: 2})
    masks[0][1:3] = masks[1][2] = True
    with pytest.raises(LabelValueError, match=r"masks in box \[0:4, 0:4\] overlap, .* open it anew"):
        layer[...]


class Wrong(Counted):
    """A mask that gives something else than it promises."""

    def __getitem__(self, box):
        return super().__getitem__(box).astype(np.uint8)


def test_masks_that_give_something_else_are_refused():
    with pytest.raises(LabelValueError, match=r"came as uint8 of shape \(3, 3\) in box \[0:3, 0:3\]"):
        find_overlaps([Wrong(np.ones((3, 3), bool))])


def test_a_damaged_chunk_of_a_mask_is_an_error(tmp_path):
    mask = zarr.create_array(
        tmp_path / "a", data=np.ones((8, 8), bool), chunks=(4, 4), compressors=zarr.codecs.GzipCodec()
    )
    (tmp_path / "a/c/1/1").write_bytes(b"no gzip")
    with pytest.raises(ChunkError, match="chunk 1/1 cannot be decoded"):
        find_overlaps([mask])
