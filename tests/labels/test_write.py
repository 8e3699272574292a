"""Writing and reading label images: every kind of store, both versions, all dtypes."""

import json

import dask.array as da
import numpy as np
import pytest
import zarr

from ngffseg import Geometry, Segment, open_labels, write_labels
from ngffseg.errors import LabelExistsError, LabelNameError, LabelValueError, MetadataError, UsageError
from ngffseg.labels import open_image, open_segmentation, store_tree, write_segmentation
from ngffseg.model import Segmentation, Source, Volume
from ngffseg.pyramid import downsample
from tests.labels.stores import digest, faults, objects, unlistable

LABELS = np.random.default_rng(0).integers(0, 4, (40, 50, 60)).astype(np.uint16)


@pytest.fixture(params=["local", "memory"])
def url(request, tmp_path):
    """Address of a new store of each kind that can be written."""
    if request.param == "local":
        return str(tmp_path / "case.ome.zarr")
    return f"memory://{tmp_path.name}/case.ome.zarr"


@pytest.fixture(params=["0.5", "0.4"])
def version(request):
    return request.param


def test_levels_are_those_of_the_definition(url, version):
    image = write_labels(url, LABELS, name="cells", ngff=version, levels=3, chunks=16)
    want = LABELS
    for level in range(3):
        assert image._arrays[level].dtype == np.uint16
        np.testing.assert_array_equal(image.read(level=level), want)
        np.testing.assert_array_equal(image.levels[level].compute(), want)
        want = downsample(want, (2, 2, 2))
    assert faults(url) == []


def in_zarr(**form):
    def make(labels):
        array = zarr.create_array({}, shape=labels.shape, dtype=labels.dtype, chunks=(8, 10, 12), **form)
        array[...] = labels
        return array

    return make


@pytest.mark.parametrize(
    "make",
    [
        da.from_array,
        in_zarr(zarr_format=2),
        in_zarr(zarr_format=3),
        in_zarr(shards=(16, 20, 24)),
        np.ndarray.tolist,
    ],
    ids=["dask", "zarr 2", "zarr 3", "sharded", "list"],
)
def test_sources_of_any_kind(make, url):
    source = make(LABELS)
    image = write_labels(url, source, name="cells", levels=2)
    np.testing.assert_array_equal(image.read(), LABELS)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
def test_all_dtypes(dtype, tmp_path):
    labels = LABELS.astype(dtype)
    labels[0, 0, 0] = np.iinfo(dtype).max
    for version in ("0.4", "0.5"):
        image = write_labels(tmp_path / f"{version}.zarr", labels, name="a", ngff=version, levels=2)
        assert image._arrays[1].dtype == dtype
        np.testing.assert_array_equal(image.read(), labels)


@pytest.mark.parametrize("value", [2**53 + 1, 2**63 + 5, 2**64 - 1])
def test_large_labels_survive_every_level_and_the_metadata(value, url, version):
    labels = np.zeros((64, 64, 64), np.uint64)
    labels[8:40, 8:40, 8:40] = value
    image = write_labels(
        url, labels, name="big", segments=[Segment(value, name="soma")], ngff=version, levels=4
    )
    for level in range(4):
        assert np.unique(image.read(level=level)).tolist() == [0, value]
    (segment,) = open_labels(url, "big").segments
    assert (segment.label_value, segment.name) == (value, "soma")


def test_the_text_of_the_metadata_holds_the_exact_integer(tmp_path):
    write_labels(tmp_path / "a.zarr", np.zeros((4, 4), np.uint64), name="a", segments=[Segment(2**63 + 5)])
    attributes = json.loads((tmp_path / "a.zarr/labels/a/zarr.json").read_text(encoding="utf-8"))[
        "attributes"
    ]
    assert attributes["ome"]["image-label"]["colors"][0]["label-value"] == 9223372036854775813


@pytest.mark.parametrize("shape", [(30, 40), (3, 30, 40), (2, 3, 30, 40), (2, 2, 3, 30, 40)])
def test_two_to_five_axes(shape, url, version):
    labels = np.random.default_rng(1).integers(0, 3, shape).astype(np.uint8)
    image = write_labels(url, labels, name="a", ngff=version, levels=2, chunks=8)
    np.testing.assert_array_equal(image.read(), labels)
    factors = (1,) * (len(shape) - 2) + (2, 2)
    if len(shape) > 2 and shape[-3] > 1:
        factors = (*factors[:-3], 2, 2, 2)
    np.testing.assert_array_equal(image.read(level=1), downsample(labels, factors))
    assert faults(url) == []


def test_a_box_reads_only_its_chunks(tmp_path):
    write_labels(tmp_path / "a.zarr", LABELS, name="a", chunks=10, shards=None, levels=1)
    image = open_labels(tmp_path / "a.zarr", "a")
    for chunk in (tmp_path / "a.zarr/labels/a/0/c").rglob("*"):
        if chunk.is_file() and chunk.relative_to(tmp_path / "a.zarr/labels/a/0/c").parts[0] != "1":
            chunk.write_bytes(b"broken")
    box = ((10, 20), (0, 50), slice(5, 60))
    np.testing.assert_array_equal(image.read(box), LABELS[10:20, :, 5:])
    lazy = image.levels[0][12:15, 3:9]
    np.testing.assert_array_equal(lazy.compute(), LABELS[12:15, 3:9])


@pytest.mark.parametrize(
    ("box", "level", "message"),
    [
        (((0, 41), (0, 5), (0, 5)), 0, "does not lie in 0:40"),
        (((0, 5), (0, 5)), 0, "has 2 axes"),
        ((slice(0, 5, 2), slice(0, 5), slice(0, 5)), 0, "no step"),
        ((slice(-5, None), slice(0, 5), slice(0, 5)), 0, "does not lie"),
        (None, 7, "no level 7"),
        (None, -1, "no level -1"),
    ],
)
def test_boxes_that_do_not_fit(box, level, message, tmp_path):
    image = write_labels(tmp_path / "a.zarr", LABELS, name="a", levels=2)
    with pytest.raises(UsageError, match=message):
        image.read(box, level)


def test_names_colors_and_geometry_come_back(url, version):
    affine = np.array([[0, -0.7, 0.1, 1 / 3], [0.9, 0, 0, -7], [0, 0.2, 2.5, 0.1], [0, 0, 0, 1]])
    grid = Geometry(LABELS.shape, affine, frame_of_reference_uid="1.2.3")
    segments = (
        Segment(1, id="a", name="Müller 肝", color=(1, 2, 3, 4), tags=(("k", "v"),), properties={"area": 5}),
        Segment(3),
    )
    write_labels(url, LABELS, name="organs", segments=segments, geometry=grid, ngff=version)
    image = open_labels(url)
    assert image.segments == segments
    assert image.geometry == grid
    assert image.geometry.affine.tobytes() == grid.affine.tobytes()


def test_layers_provenance_and_order_come_back(url):
    layers = (LABELS, (LABELS > 2).astype(np.uint8))
    segments = (Segment(1, id="b", layer=1), Segment(2, id="a"), Segment(1, id="c"))
    made = Segmentation(
        layers, segments, Geometry(LABELS.shape, np.eye(4)), "Closed surface", Source("seg.nrrd", "x.seg.nrrd", "00"),
        {"nrrd": {"keys": {"a": "b"}}},
    )  # fmt: skip
    image = write_segmentation(url, made, name="organs", levels=2)
    assert image.layers == ("organs", "organs__layer1")
    assert [s.id for s in image.segments] == ["a", "c"]
    back = open_segmentation(url, "organs__layer1")
    assert back.segments == segments
    assert (back.representation, back.source, back.extra) == (made.representation, made.source, made.extra)
    for got, want in zip(back.layers, layers, strict=True):
        np.testing.assert_array_equal(got[...], want)


def test_a_placeholder_holds_no_data(tmp_path):
    write_labels(tmp_path / "a.zarr", LABELS, name="a", levels=3)
    files = {name for name in digest(tmp_path / "a.zarr") if not name.startswith(("labels/", "ngffseg/"))}
    assert files == {"zarr.json", "0/zarr.json", "1/zarr.json", "2/zarr.json"}
    image = open_image(tmp_path / "a.zarr")
    assert image.data.shape == LABELS.shape
    assert store_tree(tmp_path / "a.zarr").image.placeholder


def test_a_second_label_image_leaves_everything_else_untouched(tmp_path, version):
    store = tmp_path / "a.zarr"
    write_labels(store, LABELS, name="first", image=LABELS.astype(np.float32), ngff=version, levels=3)
    before = digest(store)
    write_labels(store, LABELS[::-1], name="second")
    after = digest(store)
    changed = {name for name in before if before[name] != after.get(name)}
    assert changed == {"labels/zarr.json" if version == "0.5" else "labels/.zattrs"}
    added = ("labels/second/", "ngffseg/index/second/")
    assert all(name.startswith(added) for name in set(after) - set(before))
    assert [n.image.name for n in store_tree(store).labels] == ["first", "second"]
    assert faults(store) == []


def test_labels_get_as_many_levels_as_the_image(tmp_path):
    store = tmp_path / "a.zarr"
    first = write_labels(store, LABELS, name="first", factors=[(1, 2, 2), (2, 5, 1)])
    second = write_labels(store, LABELS, name="second")
    assert [a.shape for a in first._arrays] == [a.shape for a in second._arrays]
    with pytest.raises(UsageError, match="has 3, and labels must have as many"):
        write_labels(store, LABELS, name="third", levels=2)


def test_the_image_has_an_intensity_pyramid(tmp_path, version):
    data = np.random.default_rng(0).normal(size=LABELS.shape).astype(np.float32)
    write_labels(tmp_path / "a.zarr", LABELS, name="a", image=data, ngff=version, levels=2)
    tree = store_tree(tmp_path / "a.zarr")
    assert not tree.image.placeholder
    levels = [zarr.open_array(tmp_path / "a.zarr" / level.path)[...] for level in tree.image.levels]
    np.testing.assert_array_equal(levels[0], data)
    means = data.reshape(20, 2, 25, 2, 30, 2).mean(axis=(1, 3, 5))
    np.testing.assert_allclose(levels[1], means, rtol=1e-4, atol=1e-6)
    labels = tree.labels[0].levels
    assert [level.translation for level in tree.image.levels] == [level.translation for level in labels]


def test_integer_images_are_rounded_and_odd_edges_kept(tmp_path):
    data = np.arange(5 * 7, dtype=np.int16).reshape(5, 7) - 9
    write_labels(tmp_path / "a.zarr", np.zeros((5, 7), np.uint8), name="a", image=data, levels=2, factors=2)
    got = zarr.open_array(tmp_path / "a.zarr" / store_tree(tmp_path / "a.zarr").image.levels[1].path)[...]
    assert got.dtype == np.int16
    assert got.shape == (3, 4)
    assert got[0, 0] == np.round(data[:2, :2].mean())
    assert got[2, 3] == data[4, 6]


def test_overwriting_replaces_levels_segments_and_surplus_layers(url):
    two = Segmentation(
        (LABELS, LABELS), (Segment(1, id="a"), Segment(1, id="b", layer=1)), Geometry(LABELS.shape, np.eye(4))
    )
    write_segmentation(url, two, name="organs", levels=2)
    write_labels(url, LABELS, name="other")
    with pytest.raises(LabelExistsError, match="overwrite"):
        write_labels(url, LABELS, name="organs")
    new = (LABELS // 2).astype(np.uint32)
    image = write_labels(url, new, name="organs", segments=[Segment(1, name="x")], overwrite=True)
    np.testing.assert_array_equal(image.read(), new)
    assert [s.name for s in open_labels(url, "organs").segments] == ["x"]
    assert [n.image.name for n in store_tree(url).labels] == ["organs", "other"]
    np.testing.assert_array_equal(open_labels(url, "other").read(), LABELS)
    assert faults(url) == []
    if url.startswith("memory"):
        assert not [o for o in objects(url) if "layer1" in o]
        levels = {o.split("/")[3] for o in objects(url) if o.startswith("/labels/organs/")}
        assert len(levels) == 3  # metadata and two levels: the old ones are gone


@pytest.mark.parametrize(
    "name",
    ["../x", "/x", "", "a/b", ".", "..", ".x", "__x", "a\\b", "a\0", " a", "a\n", "x__layer1", "x" * 300],
)
def test_names_that_would_leave_the_folder(name, tmp_path):
    with pytest.raises(LabelNameError, match="label name"):
        write_labels(tmp_path / "a.zarr", LABELS, name=name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["organs", "Müller 肝", "a.b", "a b", "-x", "#5", "..a" * 0 + "x..", "con"])
def test_names_that_are_folders(name, url):
    write_labels(url, LABELS, name=name, levels=1)
    assert open_labels(url).name == name
    np.testing.assert_array_equal(open_labels(f"{url}/labels/{name}").read(), LABELS)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (LABELS.astype(float), "float64, not integers"),
        (LABELS.astype(np.int32) - 1, "negative"),
        (da.from_array(LABELS.astype(np.int32) - 1, chunks=16), "negative"),
    ],
)
def test_labels_that_are_none(labels, message, tmp_path):
    with pytest.raises(LabelValueError, match=message):
        write_labels(tmp_path / "a.zarr", labels, name="a")
    assert list(tmp_path.iterdir()) == []


def test_a_segment_beyond_the_dtype(tmp_path):
    with pytest.raises(LabelValueError, match="70000 does not fit uint16"):
        write_labels(tmp_path / "a.zarr", LABELS, name="a", segments=[Segment(70000)])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ngff": "0.3"}, "is '0.3': give one of"),
        ({"ngff": "0.4", "shards": 64}, "Zarr v2, which has none"),
        ({"chunks": 16, "shards": 24}, "whole number of chunks"),
        ({"tie": "largest"}, "give one of"),
    ],
)
def test_options_that_do_not_fit(options, message, tmp_path):
    with pytest.raises(UsageError, match=message):
        write_labels(tmp_path / "a.zarr", LABELS, name="a", **options)
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_is_no_image(tmp_path):
    zarr.create_group(tmp_path / "group.zarr", attributes={"mine": 1})
    zarr.create_array(tmp_path / "array.zarr", shape=(4,), dtype="u1")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/todo.txt").write_text("buy milk")
    (tmp_path / "file.zarr").write_text("no folder")
    before = digest(tmp_path)
    for name in ("group.zarr", "array.zarr"):
        with pytest.raises(MetadataError, match=r"no OME-Zarr image|not an OME-Zarr image"):
            write_labels(tmp_path / name, LABELS, name="a")
    with pytest.raises(UsageError, match="holds other files"):
        write_labels(tmp_path / "notes", LABELS, name="a")
    with pytest.raises(UsageError, match="is a file"):
        write_labels(tmp_path / "file.zarr", LABELS, name="a")
    assert digest(tmp_path) == before


def test_labels_that_do_not_fit_the_image(tmp_path):
    write_labels(tmp_path / "a.zarr", LABELS, name="a")
    with pytest.raises(UsageError, match="do not fit the image"):
        write_labels(tmp_path / "a.zarr", LABELS[:20], name="b")
    with pytest.raises(UsageError, match="axes"):
        write_labels(tmp_path / "a.zarr", LABELS[0], name="b", geometry=Geometry(LABELS.shape[1:], np.eye(4)))
    cropped = Geometry((20, 50, 60), np.eye(4))
    write_labels(tmp_path / "a.zarr", LABELS[:20], name="cropped", geometry=cropped)
    assert faults(tmp_path / "a.zarr") == []


def test_labels_without_a_grid_get_that_of_the_image(tmp_path):
    oblique = np.array([[0, -0.7, 0.1, 1 / 3], [0.9, 0, 0, -7], [0, 0.2, 2.5, 0.1], [0, 0, 0, 1]])
    grid = Geometry(LABELS.shape, oblique)
    for store, image in (("a.zarr", Volume(LABELS, grid)), ("b.zarr", None)):
        write_labels(tmp_path / store, LABELS, name="a", image=image, geometry=grid)
        assert open_image(tmp_path / store).geometry == grid
        assert write_labels(tmp_path / store, LABELS, name="b").geometry == grid
        assert faults(tmp_path / store) == []


def test_an_image_is_never_replaced(tmp_path):
    write_labels(tmp_path / "a.zarr", LABELS, name="a", image=LABELS)
    with pytest.raises(UsageError, match="has an image already"):
        write_labels(tmp_path / "a.zarr", LABELS, name="b", image=LABELS)


def test_reading_over_http_that_cannot_list(tmp_path, version):
    grid = Geometry(LABELS.shape, np.diag([0.5, 0.6, 0.7, 1]))
    segments = [Segment(1, name="one")]
    write_labels(
        tmp_path / "a.zarr", LABELS, name="a", segments=segments, geometry=grid, ngff=version, levels=2
    )
    with unlistable(tmp_path) as server:
        image = open_labels(f"{server}/a.zarr")
        assert (image.name, image.geometry, image.segments[0].name) == ("a", grid, "one")
        np.testing.assert_array_equal(image.read(((3, 9), (0, 50), (7, 8))), LABELS[3:9, :, 7:8])
        np.testing.assert_array_equal(image.levels[1].compute(), downsample(LABELS, (2, 2, 2)))
        assert faults(f"{server}/a.zarr") == []
        assert [level.stored_bytes for level in store_tree(f"{server}/a.zarr").labels[0].levels] == [
            None,
            None,
        ]


def test_consolidated_metadata_is_kept_fresh(tmp_path, version):
    import warnings

    write_labels(tmp_path / "a.zarr", LABELS, name="a", ngff=version, levels=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        zarr.consolidate_metadata(tmp_path / "a.zarr")
    write_labels(tmp_path / "a.zarr", LABELS, name="b")
    group = zarr.open_group(tmp_path / "a.zarr", mode="r", use_consolidated=True)
    assert "b" in group["labels"]
    assert group["labels/b/0"].shape == LABELS.shape


def test_another_program_may_have_left_a_folder(tmp_path):
    # An unregistered label image of that name is there all the same.
    write_labels(tmp_path / "a.zarr", LABELS, name="a", levels=1)
    group = zarr.open_group(tmp_path / "a.zarr/labels", mode="r+")
    group.attrs.put({"ome": {"version": "0.5", "labels": ["other"]}})
    with pytest.raises(LabelExistsError):
        write_labels(tmp_path / "a.zarr", LABELS, name="a")
