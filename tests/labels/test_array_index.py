"""`image[...]` gives what numpy gives, and reads the chunks that the index touches, each once, and no other."""

import itertools

import dask.array as da
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ngffseg import open_segmentation, write_labels
from ngffseg.labels.read import array_pieces
from ngffseg.labels.read.sliced_array import SlicedArray
from tests.examples import examples

SHAPE, CHUNKS = (11, 7, 13), (4, 3, 4)
LABELS = np.random.default_rng(0).integers(0, 2**64 - 1, SHAPE, dtype=np.uint64)


class Watched(SlicedArray):
    """An array in memory that notes the boxes that are read of it."""

    shape, ndim, chunks, dtype = SHAPE, 3, CHUNKS, LABELS.dtype

    def __init__(self):
        self.boxes = []

    def read_box(self, box):
        assert all(0 <= b.start <= b.stop <= n for b, n in zip(box, SHAPE, strict=True))
        self.boxes.append(box)
        return LABELS[box].copy()

    def chunks_read(self):
        return [chunk for box in self.boxes for chunk in chunks_of(box)]


def chunks_of(box):
    if any(b.start == b.stop for b in box):
        return []
    ranges = [range(b.start // c, -(-b.stop // c)) for b, c in zip(box, CHUNKS, strict=True)]
    return list(itertools.product(*ranges))


def chunks_touched(index):
    touched = np.zeros(SHAPE, bool)
    touched[index] = True
    return {tuple(p) for p in (np.argwhere(touched) // CHUNKS).tolist()}


def along(size):
    """Parts of an index that fit an axis."""
    places = st.integers(-size, size - 1)
    # Shapes that broadcast to one, whichever of them are together.
    shapes = st.sampled_from([(3,), (1,), (2, 3), (2, 1)])
    return st.one_of(
        places,
        places.map(np.int16),
        st.slices(size),
        st.slices(size),
        arrays(np.int64, shapes, elements=places),
        arrays(np.uint8, shapes, elements=st.integers(0, size - 1)),
        st.lists(places, min_size=3, max_size=3),
    )


@st.composite
def fitting(draw):
    """An index that fits: parts for some axes or all, with ... and None among them."""
    parts = [draw(along(size)) for size in SHAPE]
    start = draw(st.integers(0, 3))
    parts[start : draw(st.integers(start, 3))] = [...]
    for _ in range(draw(st.integers(0, 2))):
        parts.insert(draw(st.integers(0, len(parts))), None)
    return tuple(parts)


MASKS = st.one_of(*(arrays(bool, shape) for shape in [(), 11, 7, 13, (11, 7), (7, 13), SHAPE, 5]))
WRONG = st.sampled_from(
    [1.0, "1", np.array(["a"]), np.zeros(2), slice(None, None, 0), slice("a"), {}, [[1], [1, 2]]]
)
# Some of these fit, by chance; the rest are errors of numpy, too.
ANY = st.one_of(st.none(), st.just(...), st.booleans(), MASKS, along(7), along(13), st.just([]), WRONG)


@examples(800)
@given(index=fitting() | st.lists(ANY, max_size=4).map(tuple) | ANY, piece=st.sampled_from([1, 100, 2**24]))
def test_every_kind_of_index(index, piece):
    """Whatever the size of pieces, from one chunk to the whole array."""
    array = Watched()
    try:
        wanted = LABELS[index]
    except (IndexError, TypeError, ValueError):
        with pytest.raises(IndexError) as caught:
            array[index]
        assert "\n" not in str(caught.value)
        assert array.boxes == []
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(array_pieces, "PIECE", piece)
        found = array[index]
    assert type(found) is type(wanted)
    assert (found.shape, found.dtype) == (wanted.shape, wanted.dtype)
    np.testing.assert_array_equal(found, wanted)
    read = array.chunks_read()
    assert set(read) == chunks_touched(index)
    assert len(read) == len(set(read))


@pytest.mark.parametrize(
    ("index", "said"),
    [
        (11, "index 11 is out of bounds for axis 0 of size 11: give -11 to 10"),
        ((0, [0, -8]), "index -8 is out of bounds for axis 1 of size 7: give -7 to 6"),
        (2**64, "index 18446744073709551616 is out of bounds"),
        (np.array([2**64 - 1], np.uint64), "index 18446744073709551615 is out of bounds"),
        ((0, 0, 0, 0), "the index is for 4 axes, the array has 3: leave some out"),
        ((..., ...), r"the index holds '\.\.\.' more than once: give it once"),
        (1.0, "a float is no index: give integers, slices"),
        ("liver", "a str is no index: give integers"),
        (slice(None, None, 0), r"slice\(None, None, 0\) is no index: slice step cannot be zero"),
        (slice(1.5), "is no index: slice indices must be integers"),
        (np.ones((2, 2), bool), r"a mask of shape \(2, 2\) is for axes of shape \(11, 7\): give one of that"),
        (
            ([0, 1], [0, 1, 2]),
            r"arrays of indices have shapes \(2,\), \(3,\): give shapes that fit each other",
        ),
    ],
)
def test_what_is_no_index_is_told_in_one_line(index, said):
    with pytest.raises(IndexError, match=said):
        Watched()[index]


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    store = tmp_path_factory.mktemp("image") / "a.zarr"
    return write_labels(store, LABELS, name="a", chunks=4, shards=8, levels=2)


INDICES = [
    np.s_[...],
    np.s_[3],
    np.s_[-1, 2, 3],
    np.s_[2:5, ::-2, 12],
    np.s_[::5, None, [0, -1]],
    np.s_[[0, 10], :, [12, 3]],
    LABELS % 5 == 0,
]


@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_a_label_image_is_an_array_of_level_0(image, index):
    np.testing.assert_array_equal(image[index], LABELS[index])
    np.testing.assert_array_equal(image.level(0)[index], LABELS[index])


def test_other_levels_are_arrays_too(image):
    below = image.levels[1].compute()
    assert image.level(1).shape == below.shape == (6, 4, 7)
    for index in np.s_[:, [3, 0], ::-3], np.s_[-1, None, 2], below > 2**60, np.s_[...]:
        np.testing.assert_array_equal(image.level(1)[index], below[index])


def test_it_behaves_as_arrays_do(image):
    assert (image.shape, image.dtype, image.ndim, image.size) == (SHAPE, np.uint64, 3, LABELS.size)
    assert len(image) == 11
    assert isinstance(image[1, 2, 3], np.uint64)
    np.testing.assert_array_equal(np.stack(list(image)), LABELS)
    np.testing.assert_array_equal(np.asarray(image), LABELS)
    np.testing.assert_array_equal(np.unique(image), np.unique(LABELS))
    np.testing.assert_array_equal(np.array(image.level(0)), LABELS)
    assert np.asarray(image, dtype=np.uint8).dtype == np.uint8
    assert np.array(image, copy=True).dtype == np.uint64
    with pytest.raises(ValueError, match="leave copy=False out"):
        np.array(image, copy=False)
    np.testing.assert_array_equal(da.from_array(image, chunks=5)[::-3].compute(), LABELS[::-3])
    assert repr(image.level(0)) == "<LazyLevel of shape (11, 7, 13), uint64, in chunks of (4, 4, 4)>"


@pytest.mark.parametrize("wrong", [2, -1, "1", 1.0, None])
def test_there_is_no_other_level(image, wrong):
    for call in (image.level, lambda number: image.read(level=number)):
        with pytest.raises(ValueError, match=r"no level|a level is a .*: give a whole number") as caught:
            call(wrong)
        assert "\n" not in str(caught.value)


def test_labels_can_be_written_from_an_image_of_another_store(image, tmp_path):
    """All of it, or its labels alone; which of them was meant has to be said."""
    with pytest.raises(ValueError, match=r"give open_segmentation of its address, or image\.level\(0\)"):
        write_labels(tmp_path / "b.zarr", image, name="b")
    for labels in open_segmentation(image.url), image.level(0):
        written = write_labels(tmp_path / "b.zarr", labels, name="b", overwrite=True)
        np.testing.assert_array_equal(written[...], LABELS)
