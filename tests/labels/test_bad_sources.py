"""Sources and options that do not fit: one clear error, and nothing is left behind."""

import itertools

import numpy as np
import pytest

from ngffseg import open_labels, write_labels
from ngffseg.errors import LabelValueError, NgffsegError, StoreError, UsageError
from ngffseg.pyramid import Reduction
from tests.pyramid import brute

LABELS = np.random.default_rng(0).integers(0, 5, (40, 31, 22)).astype(np.uint16)


class Lazy:
    """A lazy array whose pieces are made by a function."""

    shape, dtype, ndim = LABELS.shape, LABELS.dtype, 3

    def __init__(self, piece):
        self.piece = piece

    def __getitem__(self, box):
        return self.piece([b.stop - b.start for b in box])


def broken(_):
    raise OSError(5, "Input/output error")


BAD = {
    "another shape": (lambda _: np.ones((3, 3, 3), np.uint16), UsageError, "the source has changed, open it anew"),
    "fewer axes": (lambda size: np.ones(size[1:], np.uint16), UsageError, "the source has changed"),
    "floats": (lambda size: np.full(size, 1.5), LabelValueError, "labels came as float64 instead of uint16"),
    "wider labels": (lambda size: np.ones(size, np.uint64), LabelValueError, "came as uint64 instead of uint16"),
    "a disk that fails": (broken, StoreError, "Input/output error"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_source_that_is_not_what_it_said(case, tmp_path):
    piece, error, message = BAD[case]
    with pytest.raises(error, match=message):
        write_labels(tmp_path / "a.zarr", Lazy(piece), name="a")
    assert not (tmp_path / "a.zarr").exists()
    write_labels(tmp_path / "a.zarr", LABELS, name="a")
    with pytest.raises(NgffsegError, match=message):
        write_labels(tmp_path / "a.zarr", Lazy(piece), name="a", overwrite=True)
    np.testing.assert_array_equal(open_labels(tmp_path / "a.zarr")._arrays[0][:], LABELS)


def test_bytes_in_another_order_are_the_same_labels(tmp_path):
    source = Lazy(lambda size: np.full(size, 0x0102, ">u2"))
    assert (write_labels(tmp_path / "a.zarr", source, name="a")._arrays[0][:] == 0x0102).all()


def test_an_empty_volume(tmp_path):
    with pytest.raises(UsageError, match=r"shape \(0, 4, 4\) is empty"):
        write_labels(tmp_path / "a.zarr", np.zeros((0, 4, 4), np.uint8), name="a")
    assert not (tmp_path / "a.zarr").exists()


def test_shards_that_hold_no_whole_chunks(tmp_path):
    with pytest.raises(UsageError, match="shards 20: 20 is no whole number of chunks of 7"):
        write_labels(tmp_path / "a.zarr", LABELS, name="a", chunks=7, shards=20)
    assert not (tmp_path / "a.zarr").exists()


FITS = {
    "shards that no block aligns with": {"chunks": 7, "shards": 21, "factors": 3, "levels": 3},
    "shards of other sizes per axis": {"chunks": (5, 8, 3), "shards": (10, 24, 9), "factors": (2, 3, 5)},
    "factors larger than the volume": {"factors": 16, "levels": 4},
    "levels down to one voxel": {"levels": 7},
    "chunks larger than the volume": {"chunks": 512},
    "factors of one": {"factors": 1, "levels": 3},
}


@pytest.mark.parametrize("case", FITS)
@pytest.mark.parametrize("cascade", [True, False])
def test_odd_options_are_exact(case, cascade, tmp_path):
    if not cascade and case in ("factors larger than the volume", "levels down to one voxel"):
        cascade_limit = {"factors larger than the volume": 2, "levels down to one voxel": 4}[case]
        options = FITS[case] | {"levels": cascade_limit}
    else:
        options = FITS[case]
    image = write_labels(tmp_path / "a.zarr", LABELS, name="a", cascade=cascade, **options)
    levels = [array[:] for array in image._arrays]
    reduction = Reduction()
    window = (1, 1, 1)
    for below, level in itertools.pairwise(levels):
        step = options.get("factors", 2)
        step = (step,) * 3 if isinstance(step, int) else step
        step = tuple(1 if n == 1 else f for n, f in zip(below.shape, step, strict=True))
        window = tuple(w * s for w, s in zip(window, step, strict=True))
        want = (
            brute.mode(below, step, reduction.tie, False)
            if cascade
            else brute.mode(LABELS, window, reduction.tie, False)
        )
        np.testing.assert_array_equal(level, want)


def test_an_axis_of_one_voxel(tmp_path):
    labels = LABELS[:1, :, :1]
    image = write_labels(tmp_path / "a.zarr", labels, name="a", levels=3)
    assert [array.shape for array in image._arrays] == [(1, 31, 1), (1, 16, 1), (1, 8, 1)]
    np.testing.assert_array_equal(image._arrays[1][:], brute.mode(labels, (1, 2, 1), "balanced", False))
