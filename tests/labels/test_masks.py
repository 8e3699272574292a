"""Masks that overlap, written from Python: what comes back is what was given, in the fewest layers."""

from pathlib import Path

import dask.array as da
import numpy as np
import pytest
import slicerio
import zarr
from hypothesis import given
from hypothesis import strategies as st

from ngffseg import (
    Geometry,
    Segment,
    Segmentation,
    export_segmentation,
    open_image,
    open_labels,
    open_segmentation,
    segment_index,
    update_labels,
    write_labels,
)
from ngffseg.errors import JobError, LabelExistsError, LabelValueError, StoreError, UsageError
from ngffseg.geometry import identity
from ngffseg.labels import verify_index, write_segmentation
from ngffseg.labels.arrays.masks import packed_masks
from ngffseg.labels.jobs import checkpoints, progress
from ngffseg.labels.plan.fingerprint import source_digest
from ngffseg.labels.write import execute
from ngffseg.model import Code, Codes, Source, Volume
from tests.examples import examples
from tests.labels.stores import digest, faults
from tests.labels.test_layering import fewest
from tests.labels.test_overlaps import Counted, brute

SHAPE = (20, 30, 40)
FORM = {"chunks": 8, "shards": None, "levels": 2}


def spheres(shape=SHAPE):
    """Five masks: a chain of three in which neighbours overlap, one inside of all, and one apart."""
    grid = np.moveaxis(np.indices(shape), 0, -1)

    def ball(centre, radius):
        return ((grid - np.array(centre)) ** 2).sum(axis=-1) < radius**2

    return {
        "head": ball((10, 10, 8), 6),
        "body": ball((10, 10, 16), 6),
        "tail": ball((10, 10, 24), 6),
        "all": ball((10, 10, 16), 9),
        "other": ball((10, 24, 34), 5),
    }


MASKS = spheres()


def check_masks(url, masks, name=None):
    """Whether a store holds exactly these masks, in as few layers as possible where there are few of them."""
    found = open_segmentation(url, name)
    layers = [np.asarray(layer[...]) for layer in found.layers]
    assert [segment.name for segment in found.segments] == list(masks)
    for segment in found.segments:
        np.testing.assert_array_equal(layers[segment.layer] == segment.label_value, masks[segment.name])
    for number, layer in enumerate(layers):
        values = [s.label_value for s in found.segments if s.layer == number]
        assert values == list(range(1, len(values) + 1))
        assert set(np.unique(layer).tolist()) <= {0, *values}
        assert layer.dtype == np.min_scalar_type(len(values))
    assert len(layers) == fewest(brute(list(masks.values())))
    return found


def given_as(kind, mask, folder):
    """One mask as an array of some kind."""
    if kind == "numpy":
        return mask
    if kind == "dask":
        return da.from_array(mask, chunks=(7, 30, 13))
    if kind == "zarr":
        folder.mkdir(exist_ok=True)
        return zarr.create_array(folder / f"{len(list(folder.iterdir()))}", data=mask, chunks=(8, 16, 16))
    return Counted(mask)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("kind", ["numpy", "dask", "zarr", "anything"])
def test_masks_come_back(kind, version, tmp_path):
    masks = {name: given_as(kind, mask, tmp_path / "masks") for name, mask in MASKS.items()}
    image = write_labels(tmp_path / "a.zarr", masks=masks, name="a", ngff=version, levels=2, chunks=16)
    found = check_masks(tmp_path / "a.zarr", MASKS)
    assert image.layers == ("a", "a__layer1", "a__layer2")
    assert [s.id for s in found.segments] == list(MASKS)
    assert faults(tmp_path / "a.zarr") == []
    for layer in image.layers:
        counted = {s.label_value: s.voxels for s in segment_index(open_labels(tmp_path / "a.zarr", layer))}
        own = [s for s in found.segments if f"a__layer{s.layer}".replace("__layer0", "") == layer]
        assert counted == {s.label_value: MASKS[s.name].sum() for s in own}


@st.composite
def noise(draw):
    """Up to six masks of 2 to 4 axes; voxels are drawn so that few or many pairs overlap."""
    shape = tuple(draw(st.lists(st.integers(1, 9), min_size=2, max_size=4)))
    rng = np.random.default_rng(draw(st.integers(0, 9999)))
    shares = draw(st.lists(st.sampled_from([0, 0.01, 0.05, 0.3]), min_size=1, max_size=6))
    return {f"mask {n}": rng.random(shape) < share for n, share in enumerate(shares)}


@given(noise())
@examples(12)
def test_any_masks_come_back(tmp_path_factory, masks):
    url = tmp_path_factory.mktemp("masks") / "a.zarr"
    write_labels(url, masks=masks, name="a", levels=1)
    check_masks(url, masks)


def test_masks_in_a_bucket(bucket):
    url = f"{bucket.url}/masks.zarr"
    for name, mask in MASKS.items():
        zarr.create_array(
            zarr.storage.FsspecStore.from_url(f"memory://masks/{name}"), data=mask, chunks=(10, 10, 10), overwrite=True
        )  # fmt: skip
    stored = {
        name: zarr.open_array(zarr.storage.FsspecStore.from_url(f"memory://masks/{name}"), mode="r")
        for name in MASKS
    }
    write_labels(url, masks=stored, name="a", **FORM)
    check_masks(url, MASKS)
    assert faults(url) == []


@pytest.mark.parametrize("options", [{}, {"chunks": 8, "shards": None, "levels": 2, "factors": 3}])
def test_each_voxel_of_a_mask_is_read_twice_at_most(options, tmp_path):
    """Once to find out what overlaps, once to be written."""
    masks = {name: Counted(mask, (10, 10, 10)) for name, mask in spheres((30, 60, 80)).items()}
    write_labels(tmp_path / "a.zarr", masks=masks, name="a", **options)
    for mask in masks.values():
        assert set(np.unique(mask.reads).tolist()) <= {1, 2}
        assert (mask.reads[mask.mask] == 2).all()


def test_masks_stream(tmp_path):
    """No read is of a whole mask, however they are stored."""
    masks = {name: Counted(np.zeros((160, 256, 256), bool), (16, 64, 64)) for name in "ab"}
    for start, mask in enumerate(masks.values()):
        mask.mask[start * 20 :: 40, 100:140, 100:140] = True
    write_labels(tmp_path / "a.zarr", masks=masks, name="a")
    for mask in masks.values():
        assert mask.largest <= 2**21 < mask.mask.size


def test_masks_of_one_dask_array_are_computed_together(tmp_path):
    """A source of 30 labels is computed twice, not sixty times."""
    counts = []

    def counted(block):
        counts.append(block.shape)
        return block

    labels = np.random.default_rng(0).integers(0, 31, (40, 40, 40)).astype(np.uint8)
    lazy = da.from_array(labels, chunks=20).map_blocks(counted, meta=np.empty((0, 0, 0), np.uint8))
    masks = {f"cell {value}": lazy == value for value in range(1, 31)}
    image = write_labels(tmp_path / "a.zarr", masks=masks, name="a", chunks=20, shards=None, levels=1)
    np.testing.assert_array_equal(image.read(), labels)
    assert counts == [(20, 20, 20)] * 16


def test_values_are_small_and_in_order(tmp_path):
    """300 apart from each other in one layer, one over all of them in another, and one that is empty."""
    masks = {"over": np.zeros((30, 40), bool)}
    masks["over"][:10] = True
    for number in range(300):
        mask = np.zeros((30, 40), bool)
        mask[number // 40, number % 40] = True
        masks[f"cell {number}"] = mask
    masks["none"] = np.zeros((30, 40), bool)
    image = write_labels(tmp_path / "a.zarr", masks=masks, name="a")
    found = open_segmentation(image.url)
    assert [layer.dtype for layer in found.layers] == [np.uint8, np.uint16]
    places = {s.name: (s.layer, s.label_value) for s in found.segments}
    assert places["over"] == (0, 1)
    assert places["none"] == (0, 2)
    assert [places[f"cell {n}"] for n in range(300)] == [(1, n + 1) for n in range(300)]
    (over,) = segment_index(open_labels(image.url, "a"))
    assert (over.label_value, over.voxels) == (1, 400)
    numbers = np.arange(1, 301).reshape(-1)
    np.testing.assert_array_equal(found.layers[1][...].ravel()[:300], numbers)


def test_segments_tell_more_about_masks(tmp_path):
    liver = Code("10200004", "SCT", "Liver")
    told = [
        Segment(9, name="tail", color=(1, 2, 3), properties={"volume": 5}),
        Segment(9, id="x", name="head", codes=Codes(type=liver), tags=(("a", "b"),), layer=7),
    ]
    write_labels(tmp_path / "a.zarr", masks=MASKS, name="a", segments=told, **FORM)
    found = {s.name: s for s in check_masks(tmp_path / "a.zarr", MASKS).segments}
    assert (found["tail"].color, found["tail"].properties["volume"]) == ((1, 2, 3, 255), 5)
    assert (found["head"].codes.type, found["head"].tags) == (liver, (("a", "b"),))
    # An id that was only that of a label value would say a wrong one.
    assert [found[name].id for name in ("tail", "head", "other")] == ["tail", "x", "other"]


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({}, UsageError, "labels and masks: give one of them, and not both"),
        ({"labels": np.ones((2, 3), int), "masks": MASKS}, UsageError, "give one of them, and not both"),
        ({"masks": {}}, UsageError, "masks hold none: give at least one"),
        ({"masks": [np.ones((2, 3), bool)]}, UsageError, "masks are a list: give a dict of names"),
        ({"masks": {3: np.ones((2, 3), bool)}}, UsageError, "a mask has the name 3: give a text"),
        ({"masks": {"": np.ones((2, 3), bool)}}, UsageError, "a mask has the name '': give a text"),
        (
            {"masks": {"a": np.ones((2, 3), np.uint8)}},
            LabelValueError,
            "mask 'a' holds uint8, not truth values: say which voxels it has, as by mask != 0",
        ),
        (
            {"masks": {"a": np.ones((2, 3), bool), "b": np.ones((3, 2), bool)}},
            UsageError,
            r"mask 'b' has shape \(3, 2\), 'a' \(2, 3\): give masks of one shape",
        ),
        (
            {"masks": MASKS, "segments": [Segment(1, name="heads")]},
            UsageError,
            "segment 'heads' names none of the 5 masks: did you mean 'head'",
        ),
        (
            {"masks": MASKS, "segments": [Segment(1, name="head"), Segment(2, name="head")]},
            UsageError,
            "two segments name the mask 'head': give one for each",
        ),
        ({"masks": MASKS, "segments": ["head"]}, UsageError, "segments hold a str: give values of Segment"),
        (
            {"masks": MASKS, "segments": [Segment(1, id="a", name="head"), Segment(1, id="a", name="tail")]},
            UsageError,
            "segment 'a': the id is used twice",
        ),
        (
            {"masks": MASKS, "geometry": identity((2, 3))},
            UsageError,
            r"layer 0 has shape \(20, 30, 40\), its geometry \(2, 3\)",
        ),
    ],
)  # fmt: skip
def test_bad_masks_are_refused_in_one_line(given, error, said, tmp_path):
    with pytest.raises(error, match=said) as caught:
        write_labels(tmp_path / "a.zarr", name="a", **given)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


ELSEWHERE = Geometry(SHAPE, np.diag([2.0, 2, 2, 1]), frame="patient")


@pytest.mark.parametrize(
    "bad",
    [{"name": "a"}, {"name": "a/b"}, {"name": "b", "levels": 7}, {"name": "b", "geometry": ELSEWHERE}],
    ids=["a name that is taken", "no name", "other levels", "another place"],
)
def test_what_a_store_does_not_take_is_refused_before_masks_are_read(bad, tmp_path):
    data = np.ones(SHAPE, np.int16)
    grid = Geometry(SHAPE, np.eye(4), frame="patient")
    write_labels(tmp_path / "a.zarr", np.ones(SHAPE, np.uint8), name="a", image=Volume(data, grid), levels=2)
    masks = {name: Counted(mask) for name, mask in MASKS.items()}
    before = digest(tmp_path)
    with pytest.raises((UsageError, LabelExistsError, ValueError)):
        write_labels(tmp_path / "a.zarr", masks=masks, **{"geometry": grid, **bad})
    assert [mask.reads.max() for mask in masks.values()] == [0] * 5
    assert digest(tmp_path) == before


def test_masks_beside_an_image(tmp_path):
    """Written with it, and joining one that is there, from a box of their own."""
    grid = Geometry(SHAPE, np.diag([2.0, 2, 2, 1]), frame="patient")
    image = np.random.default_rng(0).integers(0, 99, SHAPE).astype(np.int16)
    write_labels(tmp_path / "a.zarr", masks=MASKS, name="a", image=Volume(image, grid), **FORM)
    np.testing.assert_array_equal(open_image(tmp_path / "a.zarr").data[...], image)
    assert check_masks(tmp_path / "a.zarr", MASKS, "a").geometry == grid
    box = (slice(2, 20), slice(3, 28), slice(4, 40))
    moved = np.diag([2.0, 2, 2, 1])
    moved[:3, 3] = 8, 6, 4
    cut = {name: mask[box] for name, mask in MASKS.items()}
    part = Geometry((18, 25, 36), moved, frame="patient")
    with pytest.warns(UserWarning, match="the rest is background"):
        write_labels(tmp_path / "a.zarr", masks=cut, name="b", geometry=part)
    wanted = {name: np.zeros(SHAPE, bool) for name in MASKS}
    for name, mask in wanted.items():
        mask[box] = cut[name]
    check_masks(tmp_path / "a.zarr", wanted, "b")
    write_labels(tmp_path / "b.zarr", masks=MASKS, name="a", image=image, **FORM)
    np.testing.assert_array_equal(open_image(tmp_path / "b.zarr").data[...], image)


@pytest.mark.parametrize("kind", ["numpy", "dask", "zarr", "anything"])
def test_an_array_of_truth_values_is_a_mask_of_value_1(kind, tmp_path):
    mask = MASKS["body"]
    labels = given_as(kind, mask, tmp_path / "masks")
    image = write_labels(tmp_path / "a.zarr", labels, name="a", segments=[Segment(1, name="body")], **FORM)
    assert image._arrays[0].dtype == np.uint8
    np.testing.assert_array_equal(image.read(), mask.astype(np.uint8))
    if kind == "anything":
        assert (labels.reads == 1).all()


def test_true_is_1_whatever_its_byte_is(tmp_path):
    """Masks of 0 and 255 that others have taken for truth values without copying them."""
    mask = np.where(MASKS["body"], np.uint8(255), np.uint8(0)).view(bool)
    image = write_labels(tmp_path / "a.zarr", mask, name="a")
    np.testing.assert_array_equal(image.read(), MASKS["body"].astype(np.uint8))
    np.testing.assert_array_equal(
        write_labels(tmp_path / "b.zarr", masks={"a": mask}, name="a").read(), image.read()
    )


def test_a_layer_of_truth_values_is_refused():
    """Only what is handed in as labels or masks is taken for one; a layer says its values."""
    with pytest.raises(LabelValueError, match="layer 0 holds bool"):
        Segmentation((MASKS["body"],), (), identity(SHAPE))


def two_layers():
    first = np.random.default_rng(0).integers(0, 4, SHAPE).astype(np.uint16)
    second = np.random.default_rng(1).integers(0, 2, SHAPE).astype(np.uint8)
    segments = (Segment(1, id="z", layer=1), Segment(3, id="a", name="A", color=(1, 2, 3, 4)))
    grid = Geometry(SHAPE, np.diag([3.0, 2, 1, 1]), frame="patient")
    return Segmentation(
        (first, second), segments, grid, "Closed surface", Source("seg.nrrd", "x", "00"), {"k": {"a": 1}}
    )


def test_a_segmentation_is_taken_as_it_is(tmp_path):
    """The same, byte for byte, as `write_segmentation` writes; and it comes back."""
    made = two_layers()
    image = write_labels(tmp_path / "a.zarr", made, name="a", **FORM)
    write_segmentation(tmp_path / "b.zarr", made, name="a", **FORM)
    assert digest(tmp_path / "a.zarr") == digest(tmp_path / "b.zarr")
    assert image.layers == ("a", "a__layer1")
    for name in (None, "a", "a__layer1"):
        found = open_segmentation(tmp_path / "a.zarr", name)
        for got, want in zip(found.layers, made.layers, strict=True):
            np.testing.assert_array_equal(got[...], want)
        for part in ("segments", "geometry", "representation", "source", "extra"):
            assert getattr(found, part) == getattr(made, part)
    # What was opened can be written elsewhere, and replaced.
    write_labels(tmp_path / "c.zarr", found, name="b", **FORM)
    copied = open_segmentation(tmp_path / "c.zarr")
    assert copied.segments == made.segments
    np.testing.assert_array_equal(copied.layers[0][...], made.layers[0])
    write_labels(tmp_path / "c.zarr", masks=MASKS, name="b", overwrite=True)
    check_masks(tmp_path / "c.zarr", MASKS)


@pytest.mark.parametrize("more", [{"segments": [Segment(1)]}, {"geometry": identity(SHAPE)}])
def test_a_segmentation_needs_nothing_beside_it(more, tmp_path):
    with pytest.raises(UsageError, match="which has segments and a geometry: give no others beside it"):
        write_labels(tmp_path / "a.zarr", two_layers(), name="a", **more)
    assert list(tmp_path.iterdir()) == []


def parts(url, name):
    """Levels and index of one layer."""
    image = open_labels(url, name)
    index = segment_index(image)
    return [array[:] for array in image._arrays], [(e, index.chunks(e.label_value).tolist()) for e in index]


def check_same(one, two, name):
    (levels, rows), (others, other_rows) = parts(one, name), parts(two, name)
    for level, wanted in zip(levels, others, strict=True):
        np.testing.assert_array_equal(level, wanted)
    assert rows == other_rows


def test_a_layer_is_updated_with_all_that_follows(tmp_path):
    """As writing all of it anew would give; other layers stay as they are, and so does what is listed."""
    made = two_layers()
    write_labels(tmp_path / "a.zarr", made, name="a", **FORM)
    before = digest(tmp_path / "a.zarr/labels/a")
    box = ((3, 17), (0, 25), (5, 40))
    new = np.random.default_rng(2).integers(0, 9, (14, 25, 35)).astype(np.uint8)
    layer = update_labels(open_labels(tmp_path / "a.zarr", "a__layer1"), box, new)
    assert (layer.name, layer.layers, layer.revision) == ("a__layer1", ("a", "a__layer1"), 1)
    second = made.layers[1].copy()
    second[3:17, 0:25, 5:40] = new
    edited = Segmentation((made.layers[0], second), made.segments, made.geometry)
    write_labels(tmp_path / "b.zarr", edited, name="a", **FORM)
    check_same(tmp_path / "a.zarr", tmp_path / "b.zarr", "a__layer1")
    check_same(tmp_path / "a.zarr", tmp_path / "b.zarr", "a")
    assert digest(tmp_path / "a.zarr/labels/a") == before
    assert not verify_index(layer, deep=True).stale
    assert faults(tmp_path / "a.zarr") == []
    found = open_segmentation(tmp_path / "a.zarr")
    assert found.segments == made.segments
    np.testing.assert_array_equal(found.layers[1][...], second)


def test_an_update_says_which_value_is_there(tmp_path):
    """A mask says where, but not which of the labels."""
    image = write_labels(tmp_path / "a.zarr", MASKS["body"], name="a", **FORM)
    before = digest(tmp_path)
    with pytest.raises(
        LabelValueError, match=r"'a' holds uint8: say of which value, as np.where\(mask, 1, 0\)"
    ):
        update_labels(image, None, MASKS["tail"])
    assert digest(tmp_path) == before


def test_packed_masks_leave_as_they_came(tmp_path):
    """In a .seg.nrrd, as another reader sees it."""
    masks = {name: mask for name, mask in MASKS.items() if name != "other"} | {"none": np.zeros(SHAPE, bool)}
    write_labels(
        tmp_path / "a.zarr", masks=masks, name="a", geometry=Geometry(SHAPE, np.eye(4), frame="patient")
    )
    export_segmentation(tmp_path / "a.zarr", tmp_path / "a.seg.nrrd")
    read = slicerio.read_segmentation(str(tmp_path / "a.seg.nrrd"))
    assert [s["name"] for s in read["segments"]] == list(masks)
    voxels = read["voxels"] if read["voxels"].ndim == 4 else read["voxels"][None]
    for segment in read["segments"]:
        mask = voxels[segment["layer"]] == segment["labelValue"]
        np.testing.assert_array_equal(mask.T, masks[segment["name"]])


@pytest.fixture
def often(monkeypatch):
    """A mark after each block."""
    monkeypatch.setattr(checkpoints, "PAUSE", 0.0)
    monkeypatch.setattr(checkpoints, "RATIO", 0)


class Stopping(progress.BlockCounter):
    """Stops within the second layer, as a lost network does."""

    def __call__(self, blocks):
        super().__call__(blocks)
        if self.done > self.total / 2:
            raise StoreError("the network is gone")


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize("kind", ["numpy", "dask", "zarr"])
def test_masks_are_resumed(kind, tmp_path, monkeypatch):
    """What was done stays done, what is there is not written again, and other masks are refused."""
    masks = {name: given_as(kind, mask, tmp_path / "masks") for name, mask in MASKS.items()}
    options = {"name": "a", "cluster": "threads", "workers": 1, **FORM}
    write_labels(tmp_path / "whole.zarr", masks=masks, **options)
    with monkeypatch.context() as patch:
        patch.setattr(execute, "BlockCounter", Stopping)
        with pytest.raises(StoreError, match="network is gone"):
            write_labels(tmp_path / "a.zarr", masks=masks, **options)
    assert not (tmp_path / "a.zarr/labels").exists()
    if kind == "numpy":
        other = {**masks, "head": np.roll(MASKS["head"], 1, 0)}
        with pytest.raises(JobError, match="labels have changed since the job was begun"):
            write_labels(tmp_path / "a.zarr", masks=other, resume=True, **options)
    write_labels(tmp_path / "a.zarr", masks=masks, resume=True, **options)
    assert digest(tmp_path / "a.zarr") == digest(tmp_path / "whole.zarr")
    times = {path: path.stat().st_mtime_ns for path in Path(tmp_path / "a.zarr").rglob("*")}
    write_labels(tmp_path / "a.zarr", masks=masks, resume=True, **options)
    assert {path: path.stat().st_mtime_ns for path in Path(tmp_path / "a.zarr").rglob("*")} == times


def test_masks_in_the_canonical_order(tmp_path):
    """Flipped and permuted like any labels, and given back by an export in the order of their source."""
    turned = np.eye(4)
    turned[:3, :3] = [[0, -1, 0], [-1, 0, 0], [0, 0, 1]]
    grid = Geometry(SHAPE, turned, frame="patient")
    write_labels(tmp_path / "a.zarr", masks=MASKS, name="a", geometry=grid, order="canonical", **FORM)
    wanted = {name: mask.transpose(0, 2, 1)[:, ::-1, ::-1] for name, mask in MASKS.items()}
    found = check_masks(tmp_path / "a.zarr", wanted)
    assert found.source_grid.geometry == grid


def test_masks_are_known_again_by_what_they_are_read_from(tmp_path):
    """Without it, every run that is resumed would compare all of them with what is stored."""

    def digest_of(masks):
        return source_digest(packed_masks(masks, ())[0])

    lazy = {name: da.from_array(mask, chunks=20) for name, mask in MASKS.items()}
    stored = {name: given_as("zarr", mask, tmp_path / "masks") for name, mask in MASKS.items()}
    assert digest_of(MASKS) is None
    assert digest_of({**lazy, "all": MASKS["all"]}) is None
    for masks in (lazy, stored):
        assert digest_of(masks) == digest_of(dict(masks))
        assert digest_of(masks) != digest_of({**masks, "head": masks["tail"], "tail": masks["head"]})
    before = digest_of(stored)
    stored["tail"][0, 0, 0] = True
    assert digest_of(stored) != before
