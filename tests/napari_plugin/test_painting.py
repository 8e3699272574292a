"""What is painted is what a plain array would hold, and saving it is writing that array."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from ngffseg import open_labels, update_labels, write_labels
from ngffseg.errors import JobError
from ngffseg.napari_plugin.axes import layer_axes
from ngffseg.napari_plugin.painting import Painting
from ngffseg.napari_plugin.view import LevelView
from ngffseg.pyramid import plan_pyramid
from tests.examples import examples
from tests.labels.stores import digest

SHAPE = (9, 14, 11)
LARGE = 2**63 + 5


def some_labels(seed):
    rng = np.random.default_rng(seed)
    return rng.choice(np.array([0, 0, 3, LARGE], "uint64"), SHAPE)


@st.composite
def strokes(draw):
    """A write as napari makes it: a box of slices with new content, or single voxels."""
    if draw(st.booleans()):
        starts = [draw(st.integers(0, n - 1)) for n in SHAPE]
        box = tuple(slice(a, draw(st.integers(a + 1, n))) for a, n in zip(starts, SHAPE, strict=True))
        return box, draw(st.sampled_from([0, 3, 8, LARGE, 2**64 - 1]))
    count = draw(st.integers(1, 5))
    places = tuple(
        np.array(draw(st.lists(st.integers(0, n - 1), min_size=count, max_size=count))) for n in SHAPE
    )
    return places, draw(st.sampled_from([0, 4, LARGE]))


@given(st.lists(strokes(), max_size=6), st.integers(0, 5), st.sampled_from([(4, 4, 4), (5, 16, 3)]))
@examples(12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_painting_and_saving_equal_an_array_that_is_written(tmp_path_factory, drawn, seed, chunks):
    """Every read sees every stroke; the store changes when it is saved, and then equals a full write."""
    folder = tmp_path_factory.mktemp("painting")
    labels = some_labels(seed)
    image = write_labels(folder / "a", labels, name="a", chunks=chunks, shards=None)
    painting, before = Painting(image), digest(folder / "a")
    for index, value in drawn:
        painting[index] = value
        labels[index] = value
        np.testing.assert_array_equal(np.asarray(painting[index]), labels[index])
        np.testing.assert_array_equal(painting[4], labels[4])
        np.testing.assert_array_equal(np.asarray(painting), labels)
    assert digest(folder / "a") == before
    painting.save()
    write_labels(folder / "b", labels, name="a", chunks=chunks, shards=None)
    found, expected = open_labels(folder / "a"), open_labels(folder / "b")
    for mine, theirs in zip(found.levels, expected.levels, strict=True):
        np.testing.assert_array_equal(mine.compute(), theirs.compute())
    assert painting.changes == ()
    assert painting.save() == 0


def test_distant_strokes_are_boxes_of_their_own(tmp_path):
    """A stroke in two corners does not write what lies between; one across chunks is one box."""
    image = write_labels(tmp_path / "a", np.zeros((64, 64, 64), "u2"), name="a", chunks=8, shards=None)
    painting = Painting(image)
    painting[1:3, 1:3, 1:3] = 5
    painting[60:62, 60:62, 60:62] = 6
    painting[1:3, 1:3, 6:12] = 5
    assert painting.changes == (
        (slice(1, 3), slice(1, 3), slice(1, 12)),
        (slice(60, 62), slice(60, 62), slice(60, 62)),
    )
    painting[60:62, 60:62, 60:62] = 0  # taken back
    assert len(painting.changes) == 1


def test_what_others_changed_is_refused_and_nothing_painted_is_lost(tmp_path):
    """Somebody else has painted there meanwhile: one line says so, and the stroke is still there."""
    image = write_labels(tmp_path / "a", np.zeros((16, 16), "u1"), name="a", chunks=8, shards=None)
    painting = Painting(image)
    painting[2:5, 2:5] = 9
    update_labels(open_labels(tmp_path / "a"), ((3, 6), (3, 6)), np.full((3, 3), 4, "u1"))
    with pytest.raises(JobError, match="open it again"):
        painting.save()
    assert painting[2, 2] == 9
    assert open_labels(tmp_path / "a").read()[2, 2] == 0


def test_a_single_channel_is_not_an_axis_of_the_layer(tmp_path):
    """Labels of shape (t, 1, y, x) are painted as (t, y, x)."""
    labels = np.zeros((2, 1, 8, 8), "u1")
    from ngffseg.geometry import identity

    geometry = identity(labels.shape, ("t", "c", "y", "x"))
    image = write_labels(tmp_path / "a", labels, name="a", geometry=geometry)
    painting = Painting(image, layer_axes(geometry, [geometry]))
    assert painting.shape == (2, 8, 8)
    painting[1, 2:4, 3] = 7
    painting.save()
    labels[1, 0, 2:4, 3] = 7
    np.testing.assert_array_equal(open_labels(tmp_path / "a").read(), labels)


@given(st.data())
def test_a_view_equals_its_array_and_reads_once(data):
    """However it is cut, and cut again, values are those of numpy; slices alone read nothing."""
    whole = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    reads = []

    def read(box):
        reads.append(box)
        return whole[box]

    index = st.one_of(
        st.integers(0, 8),
        st.slices(9).filter(lambda s: s.step in (None, 1)),
        st.just(Ellipsis),
    )
    view, expected = LevelView(read, SHAPE, whole.dtype), whole
    for _ in range(2):
        box = tuple(
            slice(*sorted(data.draw(st.tuples(st.integers(0, n), st.integers(0, n))))) for n in view.shape
        )
        view, expected = view[box], expected[box]
    assert reads == []
    assert view.shape == expected.shape
    np.testing.assert_array_equal(np.asarray(view), expected)
    assert len(reads) == 1
    if view.shape[0]:
        del index
        np.testing.assert_array_equal(view[view.shape[0] - 1], expected[-1])


def test_the_plan_of_a_saved_store_is_untouched(tmp_path):
    """Painting does not change how the pyramid is built."""
    image = write_labels(tmp_path / "a", some_labels(1), name="a", method="sparse", tie="smallest", chunks=8)
    painting = Painting(image)
    painting[0, 0, 0] = 12
    painting.save()
    assert [a.shape for a in open_labels(tmp_path / "a")._arrays] == [
        level.shape for level in plan_pyramid(image.geometry, np.uint64, chunks=8).levels
    ]
