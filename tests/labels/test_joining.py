"""Labels that join an image: each voxel lies where it did, or nothing is written."""

import itertools
import json
from dataclasses import replace

import dask.array as da
import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st

from ngffseg import Geometry, Segment, check, open_labels, write_labels
from ngffseg.errors import UsageError
from ngffseg.geometry import Order, reordered
from ngffseg.labels import forecast, rebuild_levels, write_segmentation
from ngffseg.labels.plan.joining import joined
from ngffseg.model import Segmentation, Volume
from tests.examples import examples
from tests.geometry.strategies import affines
from tests.labels.stores import digest

ORDERS = [
    Order(axes, flipped)
    for axes in itertools.permutations(range(3))
    for flipped in itertools.product((False, True), repeat=3)
]
BIG = 2**63 + 5


class Sliced:
    """An array that can do no more than it must."""

    def __init__(self, array):
        self.array, self.shape, self.dtype = array, array.shape, array.dtype

    def __getitem__(self, box):
        return self.array[box]


KINDS = {
    "numpy": lambda a: a,
    "dask": lambda a: da.from_array(a, chunks=2),
    "zarr": lambda a: zarr.array(a, chunks=(2,) * a.ndim),
    "sliced": Sliced,
}


def labels_of(shape, seed=0):
    """Sparse labels with values that no float holds."""
    draw = np.random.default_rng(seed)
    found = draw.integers(1, 5, shape).astype("u8") * (draw.random(shape) < 0.3)
    found[found == 4] = BIG
    return found


def places(array, geometry):
    """Places of all labelled voxels, as a list in some order: the definition."""
    space = [geometry.axes.index(axis) for axis in "xyz"]
    index = np.argwhere(np.asarray(array[...]))
    ijk = np.column_stack([index[:, space], np.ones(len(index))])
    found = (ijk @ geometry.affine.T)[:, :3].round(3) + 0.0
    values = [int(v) for v in np.asarray(array[...])[tuple(index.T)]]
    return sorted(zip(map(tuple, found.tolist()), values, strict=True))


def alike(found, wanted):
    assert [value for _, value in found] == [value for _, value in wanted]
    for (there, _), (here, _) in zip(found, wanted, strict=True):
        np.testing.assert_allclose(there, here, rtol=0, atol=2e-3)


def of(array, geometry):
    return Segmentation((array,), (), geometry)


def moved(image, offset, shape):
    """The grid of so many voxels of an image, from this index on."""
    affine = image.affine.copy()
    affine[:3, 3] += image.affine[:3, :3] @ offset[::-1]
    return replace(image, shape=tuple(shape), affine=affine)


@examples(60)
@given(
    affine=affines(),
    order=st.sampled_from(ORDERS),
    kind=st.sampled_from(sorted(KINDS)),
    size=st.tuples(*[st.integers(1, 6)] * 3),
    own=st.tuples(*[st.integers(1, 6)] * 3),
    data=st.data(),
)
def test_each_voxel_lies_where_it_did(affine, order, kind, size, own, data):
    """Rule 6 against brute force: any order, offset and size."""
    affine[:3, 3] /= 100
    image = Geometry(size, affine, frame="patient")
    # They share a voxel at least.
    offset = tuple(data.draw(st.integers(1 - n, m - 1)) for n, m in zip(own, size, strict=True))
    inside = moved(image, offset, own)
    labels = labels_of(own)
    given_ = of(KINDS[kind](order.apply(labels)), reordered(inside, order))
    kept = places(labels, inside)
    index = np.argwhere(labels) + offset
    fits = ((index >= 0) & (index < size)).all(axis=1)
    if not fits.all():
        with pytest.raises(UsageError, match=f"lose {(~fits).sum()} voxels"):
            joined(given_, image, {})
    found = joined(given_, image, {"crop": True})
    assert found.segmentation.geometry == image
    array = found.segmentation.layers[0]
    assert array.dtype == "u8"
    wanted = np.zeros(size, "u8")
    for place, source in zip(index[fits], np.argwhere(labels)[fits], strict=True):
        wanted[tuple(place)] = labels[tuple(source)]
    np.testing.assert_array_equal(np.asarray(array[...]), wanted)
    np.testing.assert_array_equal(np.asarray(array[1:, ::-1, -1]), wanted[1:, ::-1, -1])
    if fits.all():
        alike(places(array, image), kept)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_copied_where_the_grid_is_the_same(kind):
    image = Geometry((3, 4, 5), np.diag([0.7, 0.9, 2.5, 1.0]), frame="patient")
    array = KINDS[kind](labels_of(image.shape))
    found = joined(of(array, image), image, {})
    assert found.segmentation.layers[0] is array
    assert found.notes == ()


@examples(40)
@given(affine=affines(), other=affines(), kind=st.sampled_from(sorted(KINDS)), seed=st.integers(0, 99))
def test_the_nearest_voxel(affine, other, kind, seed):
    """--resample nearest against brute force; which of two as near ones is told by another test."""
    affine[:3, 3] = other[:3, 3] = 0.25, -0.5, 0.125
    other[:3, :3] *= 1.01  # never the same grid
    image, grid = (
        Geometry(size, a, frame="patient") for size, a in (((3, 4, 5), affine), ((4, 3, 6), other))
    )
    labels = labels_of(grid.shape, seed)
    given_ = of(KINDS[kind](labels), grid)
    ijk = [[*index[::-1], 1] for index in np.argwhere(labels).tolist()]
    there = np.array(ijk) @ (np.linalg.inv(image.affine) @ grid.affine).T
    ends = np.array(image.shape[::-1]) - 0.5
    lost = ((there[:, :3] < -0.5) | (there[:, :3] >= ends)).any(axis=1).sum()
    if lost:
        with pytest.raises(UsageError, match=f"lose {lost} voxels"):
            joined(given_, image, {"resample": "nearest"})
    found = joined(given_, image, {"resample": "nearest", "crop": True})
    assert found.segmentation.geometry == image
    array = np.asarray(found.segmentation.layers[0][...])
    back = np.linalg.inv(grid.affine) @ image.affine
    for index in np.ndindex(image.shape):
        exact = (back @ [*index[::-1], 1])[2::-1]
        near = np.floor(exact + 0.5).astype(int)
        if np.abs(exact - near).max() > 0.499:
            continue
        inside = ((near >= 0) & (near < grid.shape)).all()
        assert array[index] == (labels[tuple(near)] if inside else 0)
    assert "nearest" in found.notes[0]


def test_a_middle_belongs_to_the_voxel_of_higher_index():
    image = Geometry((1, 1, 4), np.diag([1.0, 1, 1, 1]), frame="patient")
    grid = moved(image, (0, 0, 0), (1, 1, 4))
    grid = replace(grid, affine=grid.affine + np.array([[0, 0, 0, 0.5 + 1e-9], *[[0] * 4] * 3]))
    labels = np.array([[[1, 2, BIG, 4]]], "u8")
    found = joined(of(labels, grid), image, {"resample": "nearest"}).segmentation.layers[0]
    assert found[...].tolist() == [[[1, 2, BIG, 4]]]  # 0 lies in the middle of -1 and 0


def test_time_and_channels_stay():
    image = Geometry((2, 3, 3, 4, 5), np.diag([0.7, 0.9, 2.5, 1.0]), frame="patient")
    order = Order((0, 1, 3, 2, 4), (False, False, True, False, True))
    inside = moved(image, (0, 1, 2), (2, 1, 2, 2, 2))
    labels = labels_of(inside.shape)
    found = joined(of(order.apply(labels), reordered(inside, order)), image, {}).segmentation
    assert found.geometry.shape == (2, 1, 3, 4, 5)
    assert found.geometry.axes == image.axes
    np.testing.assert_array_equal(found.layers[0][:, :, :2, 1:3, 2:4], labels)
    assert int(np.count_nonzero(found.layers[0][...])) == np.count_nonzero(labels)
    with pytest.raises(UsageError, match="along time or channels"):
        joined(of(labels_of((3, 1, 3, 4, 5)), replace(image, shape=(3, 1, 3, 4, 5))), image, {})


def test_planes_join_planes():
    image = Geometry((4, 5), np.diag([0.7, 0.9, 1.0, 1.0]), frame="patient")
    order = Order((1, 0), (True, False))
    labels = labels_of((4, 5))
    found = joined(of(order.apply(labels), reordered(image, order)), image, {}).segmentation
    np.testing.assert_array_equal(found.layers[0], labels)


CT = Geometry((8, 10, 12), np.diag([-0.7, -0.9, 2.5, 1.0]), frame="patient")


def store_with_image(folder, geometry=CT, **more):
    """A store with an image of this grid, and labels of another name."""
    url = folder / "case.zarr"
    data = np.arange(np.prod(geometry.shape), dtype="u2").reshape(geometry.shape)
    blank = np.zeros(geometry.shape, "u1")
    write_labels(url, blank, name="first", geometry=geometry, image=Volume(data, geometry), **more)
    return url


REFUSED = {
    "another patient": (moved(CT, (0, 0, 600), CT.shape), {}, "does not overlap"),
    "another patient, though resampled": (
        moved(CT, (0, 0, 600), CT.shape),
        {"resample": "nearest"},
        "overlap",
    ),
    "half a voxel beside": (
        replace(CT, affine=CT.affine + np.eye(4)[:, [0, 0, 0, 0]] * [0, 0, 0, 0.3]),
        {},
        "nearest",
    ),
    "other voxels": (replace(CT, affine=CT.affine @ np.diag([2.0, 2, 2, 1])), {}, "resample='nearest'"),
    "voxels outside": (moved(CT, (0, 0, -2), CT.shape), {}, "would lose .* crop"),
    "no frame and another shape": (
        Geometry((4, 10, 12), CT.affine),
        {},
        r"the labels tell no patient frame",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_lie_on_the_image_is_refused(tmp_path, case):
    grid, options, text = REFUSED[case]
    url = store_with_image(tmp_path)
    before = digest(url)
    labels = np.ones(grid.shape, "u1")
    for call in (
        lambda: write_labels(url, labels, name="a", geometry=grid, **options),
        lambda: forecast(url, of(labels, grid), name="a", **options),
        lambda: write_labels(
            tmp_path / "new.zarr",
            labels,
            name="a",
            geometry=grid,
            image=Volume(np.ones(CT.shape), CT),
            **options,
        ),
    ):
        with pytest.raises(UsageError, match=text) as error:
            call()
        assert "\n" not in str(error.value)
    assert digest(url) == before
    assert not (tmp_path / "new.zarr").exists()


def test_conflicting_frames_of_reference(tmp_path):
    """Bad input: one line, nothing half-written; forced, the numbers count."""
    url = store_with_image(tmp_path, replace(CT, frame_of_reference_uid="1.2.3"))
    before, other = digest(url), replace(CT, frame_of_reference_uid="1.2.4")
    labels = labels_of(CT.shape)
    with pytest.raises(
        UsageError, match=r"frame of reference of the labels is 1\.2\.4, that of the image 1\.2\.3"
    ):
        write_labels(url, labels, name="a", geometry=other)
    assert digest(url) == before
    written = write_labels(url, labels, name="a", geometry=other, force_place=True)
    assert written.geometry == replace(CT, frame_of_reference_uid="1.2.3")
    np.testing.assert_array_equal(written.read(), labels)


def test_labels_that_are_forced_keep_their_grid(tmp_path):
    url = store_with_image(tmp_path)
    far = moved(CT, (0, 0, 600), CT.shape)
    with pytest.warns(UserWarning, match="keep their own"):
        written = write_labels(url, labels_of(CT.shape), name="far", geometry=far, force_place=True)
    assert written.geometry == far
    found = [v for v in check(url) if "same dimensions and coordinate transformations" in v.rule]
    assert [(v.severity, v.where) for v in found] == [("SHOULD", "labels/far#/ome/multiscales/0")]
    # Resampling is no way to place them.
    with pytest.warns(UserWarning, match="keep their own"):
        written = write_labels(
            url, labels_of(CT.shape), name="far2", geometry=far, force_place=True, resample="nearest"
        )
    assert written.geometry == far


def numbers(url, group):
    """Axes and datasets of a group, as they are stored, but for the paths of levels."""
    found = json.loads((url / group / "zarr.json").read_text())["attributes"]["ome"]["multiscales"][0]
    return found["axes"], [d["coordinateTransformations"] for d in found["datasets"]]


@pytest.mark.parametrize("order", ORDERS[::5], ids=str)
def test_labels_in_another_order_land_right_in_every_reader(tmp_path, order):
    """Why: RAS labels in an existing LPS store were placed wrong by every NGFF reader."""
    url = store_with_image(tmp_path, levels=2, chunks=4)
    labels = labels_of((4, 5, 6))
    inside = moved(CT, (3, 2, 1), labels.shape)
    with pytest.warns(UserWarning, match="the rest is background"):
        written = write_labels(
            url,
            order.apply(labels),
            name="cut",
            geometry=reordered(inside, order),
            segments=[Segment(1, "a")],
        )
    assert numbers(url, "labels/cut") == numbers(url, "")
    alike(places(written.read(), written.geometry), places(labels, inside))
    assert open_labels(url, "cut").geometry == CT
    assert not [v for v in check(url) if "colors" not in v.rule]
    rebuild_levels(url, "cut")
    assert numbers(url, "labels/cut") == numbers(url, "")


def test_a_bare_array_beside_a_volume_lies_on_its_grid(tmp_path):
    labels = labels_of(CT.shape)
    written = write_labels(tmp_path / "a.zarr", labels, name="a", image=Volume(np.ones(CT.shape, "u1"), CT))
    assert written.geometry == CT
    np.testing.assert_array_equal(written.read(), labels)


def test_index_for_index_is_said(tmp_path):
    """Rule 6: an image without a frame takes labels of its shape, index for index; silent if grids are equal."""
    microscope = Geometry((8, 10, 12), np.diag([0.2, 0.2, 1.0, 1.0]), units=("micrometer",) * 3)
    url = store_with_image(tmp_path, microscope)
    labels = labels_of(CT.shape)
    write_labels(url, labels, name="equal", geometry=microscope)
    write_labels(url, labels, name="bare")
    with pytest.warns(UserWarning, match="the image tells no patient frame: .* index for index"):
        written = write_labels(url, labels, name="patient", geometry=CT)
    assert written.geometry == microscope
    np.testing.assert_array_equal(written.read(), labels)
    assert "orientation" not in json.dumps(numbers(url, "labels/patient"))
    assert numbers(url, "labels/patient") == numbers(url, "")
    lps = store_with_image(tmp_path / "lps")
    with pytest.warns(UserWarning, match="the labels tell no patient frame: .* index for index"):
        written = write_labels(lps, labels, name="unknown", geometry=microscope)
    assert written.geometry == CT


def test_a_run_that_was_finished_before_is_done(tmp_path):
    """Rule 10: labels that 0.1 has written on a grid of their own are not written again."""
    url = tmp_path / "a.zarr"
    labels = of(labels_of((4, 5, 6)), moved(CT, (3, 2, 1), (4, 5, 6)))
    write_segmentation(url, labels, name="a", fingerprint="f")
    group = json.loads((url / "zarr.json").read_text())
    del group["attributes"]["ngffseg"]["placeholder"]  # an image of another size
    group["attributes"]["ngffseg"]["geometry"]["ijkToLPS"][0][3] += 2 * 0.7
    (url / "zarr.json").write_text(json.dumps(group))
    before = digest(url)
    write_segmentation(url, labels, name="a", fingerprint="f", resume=True)
    assert digest(url) == before
    assert forecast(url, labels, name="a", fingerprint="f", resume=True).finished
    with pytest.raises(UsageError, match="already"):
        write_segmentation(url, labels, name="a", fingerprint="g", resume=True, crop=True)


def test_labels_without_an_image_join_those_that_are_there(tmp_path):
    """An image without data has the order of the labels that it was made for; other grids stay as they are."""
    url, order = tmp_path / "a.zarr", ORDERS[13]
    labels = labels_of(CT.shape)
    write_labels(url, labels, name="first", geometry=CT)
    second = write_labels(url, order.apply(labels), name="second", geometry=reordered(CT, order))
    assert second.geometry == CT
    np.testing.assert_array_equal(second.read(), labels)
    third = write_labels(url, labels[:4], name="third", geometry=moved(CT, (2, 0, 0), (4, 10, 12)))
    assert third.geometry.shape == (4, 10, 12)


@pytest.mark.parametrize("kind", ["dask", pytest.param("sliced", marks=pytest.mark.long)])
def test_processes_write_what_was_moved(tmp_path, kind):
    """Labels that are padded, or resampled, are written by others as well as by threads."""
    order, inside = ORDERS[29], moved(CT, (3, 2, 1), (4, 5, 6))
    labels = labels_of(inside.shape)
    turned = replace(CT, affine=CT.affine @ np.diag([1.01, 0.99, 1.02, 1]))
    for name, array, grid, options in (
        ("moved", order.apply(labels), reordered(inside, order), {}),
        ("nearest", labels_of(CT.shape), turned, {"resample": "nearest", "crop": True}),
    ):
        url = store_with_image(tmp_path / name)
        with pytest.warns(UserWarning, match="background|nearest"):
            here = write_labels(url, KINDS[kind](array), name="here", geometry=grid, chunks=4, **options)
        with pytest.warns(UserWarning, match="background|nearest"):
            there = write_labels(
                url, KINDS[kind](array), name="there", geometry=grid, chunks=4, workers=2, **options
            )
        np.testing.assert_array_equal(here.read(), there.read())
        assert here.read().any()
