"""Labels beside images with channels and time: axes by name, never by position."""

import itertools
import json

import numpy as np
import pytest

from ngffseg import check, open_labels, segment_index, update_labels, write_labels
from ngffseg.errors import OptionError, UsageError
from ngffseg.geometry import described_grid, on_axes
from ngffseg.labels import open_image, rebuild_levels
from ngffseg.model import Volume
from tests.labels.stores import digest

SIZES = {"t": 2, "c": 3, "z": 4, "y": 70, "x": 66}
SCALE = {"t": 2.5, "z": 2.0, "y": 0.5, "x": 0.25}
LAYOUTS = ["yx", "cyx", "zyx", "czyx", "tyx", "tcyx", "tzyx", "tczyx"]


def array(axes, *, channels=None, dtype="uint16"):
    """Values that differ everywhere along all axes."""
    sizes = [SIZES[a] if a != "c" or channels is None else channels for a in axes]
    return (np.arange(np.prod(sizes)) * 7 % 11).astype(dtype).reshape(sizes)


def grid(axes, shape):
    """A grid in micrometres."""
    scale, units = (
        {a: SCALE[a] for a in axes if a != "c"},
        {a: "second" if a == "t" else "micrometer" for a in axes if a != "c"},
    )
    return described_grid(shape, axes=axes, scale=scale, translation={"y": -3.5}, units=units)


def choices(axes):
    """The axes that labels beside an image may have, without those of another plane."""
    free = [a for a in axes if a in "tc"]
    rest = [a for a in axes if a not in "tc"]
    for count in range(len(free) + 1):
        for kept in itertools.combinations(free, count):
            yield "".join([*kept, *rest])


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_labels_with_any_of_the_axes_of_an_image(tmp_path, layout, version):
    """Written without a word, indexed, updated and rebuilt, at the place of the image at each level."""
    store, image = tmp_path / "a.zarr", array(layout)
    first = array(layout, dtype="uint8")
    write_labels(
        store, first, name="all", image=Volume(image, grid(layout, image.shape)), ngff=version, levels=2
    )
    theirs = metadata(store, version)["multiscales"][0]
    for axes in choices(layout):
        labels = array(axes, dtype="uint32")
        written = write_labels(store, labels, name=axes)

        assert written.geometry == on_axes(open_image(store).geometry, axes)
        told = metadata(store / "labels" / axes, version)["multiscales"][0]
        places = [layout.index(axis) for axis in axes]
        assert told["axes"] == [theirs["axes"][place] for place in places]
        for ours, level in zip(told["datasets"], theirs["datasets"], strict=True):
            for mine, its in zip(
                ours["coordinateTransformations"], level["coordinateTransformations"], strict=True
            ):
                assert mine[mine["type"]] == [its[its["type"]][place] for place in places]

        box = [slice(n // 3, n // 3 + 1) for n in labels.shape]
        changed = labels.copy()
        changed[tuple(box)] = 77
        updated = update_labels(written, box, np.full([1] * len(box), 77, "uint32"))
        rebuilt = rebuild_levels(store, axes)
        for opened in (updated, rebuilt):
            np.testing.assert_array_equal(opened.read(), changed)
        values, counts = np.unique(changed[changed > 0], return_counts=True)
        table = segment_index(rebuilt).table()
        assert dict(zip(table["label_value"], table["voxels"], strict=True)) == dict(
            zip(values.tolist(), counts.tolist(), strict=True)
        )
    assert [v for v in check(store) if v.severity != "SHOULD"] == []
    np.testing.assert_array_equal(np.asarray(open_image(store).data[...]), image)


def metadata(group, version):
    """OME metadata of a group."""
    if version == "0.4":
        return json.loads((group / ".zattrs").read_text())
    return json.loads((group / "zarr.json").read_text())["attributes"]["ome"]


def test_an_array_with_channels_comes_with_its_labels(tmp_path):
    """The main example of microscopy: no geometry by hand."""
    labels, image = array("tyx", dtype="uint32"), array("tcyx")
    written = write_labels(
        tmp_path / "a.zarr", labels, name="cells", axes="tyx", scale=(2.5, 0.5, 0.25), units="µm", image=image
    )
    there = open_image(tmp_path / "a.zarr")
    assert there.geometry.axes == ("t", "c", "y", "x")
    assert there.geometry.units == (None, None, "micrometer", "micrometer")
    assert on_axes(there.geometry, "tyx") == written.geometry
    assert written.geometry.time_step == 2.5
    np.testing.assert_array_equal(np.asarray(there.data[...]), image)
    assert check(tmp_path / "a.zarr") == [] or all(v.severity == "SHOULD" for v in check(tmp_path / "a.zarr"))


@pytest.mark.parametrize("shape", [(1, 4, 70, 66), (1, 1, 4, 70, 66)])
def test_one_of_all_channels(tmp_path, shape):
    """An axis of size 1 stands for all."""
    write_labels(tmp_path / "a.zarr", array("zyx", dtype="uint8"), name="a", image=array("tczyx"))
    labels = array("zyx", dtype="uint8").reshape(shape)
    written = write_labels(tmp_path / "a.zarr", labels, name="b")
    assert (
        written.geometry.axes == ("t", "c", "z", "y", "x")[5 - len(shape) :]
        or written.geometry.axes[0] == "t"
    )
    np.testing.assert_array_equal(written.read(), labels)
    assert all(v.severity == "SHOULD" for v in check(tmp_path / "a.zarr"))


@pytest.mark.parametrize(
    ("labels", "words", "told"),
    [
        ("tzyx", {"axes": "tcyx"}, "lack the axis z"),
        ("zyx", {"axes": "tyx"}, "lack the axis z"),
        ("yx", {}, "what fits is zyx with or without t, c"),
        ("zyx", {"axes": "zyq"}, "in that order, such as 'tyx'"),
        ("zyx", {"axes": "tzyx"}, "do not fit"),
        ("zyx", {"geometry": described_grid((4, 70, 66)), "scale": (1, 1, 1)}, "geometry and scale"),
        ("zyx", {"scale": (1, 1)}, "a number per axis"),
        ("zyx", {"scale": (9, 1, 1)}, "the image has 1.0 along z, and labels lie on its voxels"),
        ("zyx", {"translation": {"y": 3}}, "the image has 0.0 along y"),
        ("zyx", {"units": "um"}, "the image has None along z"),
        ("zyx", {"units": 3}, "units of write_labels is 3"),
        ("zyx", {"units": "parrots"}, "unit 'parrots'"),
        ("zyx", {"axis": "zyx"}, "did you mean 'axes'"),
        ("zyx", {"geometry": described_grid((4, 70, 66), axes="tyx")}, "lack the axis z"),
    ],
)
def test_what_does_not_fit_is_one_line_and_nothing_is_written(tmp_path, labels, words, told):
    store = tmp_path / "a.zarr"
    write_labels(store, array("zyx", dtype="uint8"), name="a", image=array("tczyx"))
    before = digest(store)
    with pytest.raises((UsageError, OptionError), match=told) as caught:
        write_labels(store, array(labels, dtype="uint8"), name="b", **words)
    assert "\n" not in str(caught.value)
    assert digest(store) == before


def test_words_that_say_what_the_image_says_are_welcome(tmp_path):
    store = tmp_path / "a.zarr"
    image = array("tczyx")
    first = write_labels(
        store, array("zyx", dtype="uint8"), name="a", image=Volume(image, grid("tczyx", image.shape))
    )
    words = {"scale": {"z": 2.0, "x": 0.25}, "translation": (0, -3.5, 0), "units": "micrometer"}
    assert write_labels(store, array("zyx", dtype="uint8"), name="b", **words).geometry == first.geometry


def test_sizes_that_fit_twice_are_asked_for(tmp_path):
    store, image = tmp_path / "a.zarr", np.zeros((3, 3, 4, 70, 66), "uint8")
    write_labels(store, array("zyx", dtype="uint8"), name="a", image=image)
    labels = array("czyx", dtype="uint8")
    with pytest.raises(UsageError, match="tzyx or czyx"):
        write_labels(store, labels, name="b")
    assert write_labels(store, labels, name="b", axes="czyx").geometry.axes == ("c", "z", "y", "x")


def test_requests_are_those_of_the_same_labels_alone(tmp_path):
    """Channels and time of the image cost labels without them nothing: the same files are made."""
    labels = array("zyx", dtype="uint32")
    write_labels(tmp_path / "alone.zarr", labels, name="a", image=array("zyx"))
    write_labels(tmp_path / "beside.zarr", labels, name="a", image=array("tczyx"))
    alone, beside = (
        {
            p: d
            for p, d in digest(tmp_path / f"{which}.zarr").items()
            if p.startswith("labels/a/") and "zarr.json" not in p
        }
        for which in ("alone", "beside")
    )
    assert alone == beside
    opened = open_labels(tmp_path / "beside.zarr", "a")
    assert [level.shape for level in opened._arrays] == [(4, 70, 66), (2, 35, 33)]


def others(tmp_path, axes, labels, changed=()):
    """A store whose labels are as those of others: without a document of ours."""
    store = tmp_path / "a.zarr"
    data = array(labels, dtype="uint32")
    write_labels(store, data, name="a", axes=labels, image=array(axes), levels=1)
    file = store / "labels" / "zarr.json"
    told = json.loads(file.read_text())
    del told["attributes"]["ngffseg"]
    file.write_text(json.dumps(told))
    for path, change in changed:
        told = json.loads((store / path / "zarr.json").read_text())
        change(told)
        (store / path / "zarr.json").write_text(json.dumps(told))
    return store


def moved(told):
    told["attributes"]["ome"]["multiscales"][0]["datasets"][0]["coordinateTransformations"][1]["translation"][
        -1
    ] = 40


@pytest.mark.parametrize("labels", ["zyx", "tzyx", "czyx"])
def test_labels_with_fewer_axes_are_judged_by_name(tmp_path, labels):
    """Their size and their box along each axis that they share with the image."""
    rules = ("Each dimension of the label", "Some applications")
    store = others(tmp_path / "right", "tczyx", labels)
    assert not [v for v in check(store) if v.rule.startswith(rules)]

    def shorter(told):
        told["shape"][-1] = 60

    store = others(tmp_path / "shape", "tczyx", labels, [("labels/a/0", shorter)])
    (fault,) = [v for v in check(store) if v.rule.startswith(rules)]
    assert (fault.expected, fault.found.split(", ")[-1]) == ("t=2, c=3, z=4, y=70, x=66", "x=60")
    store = others(tmp_path / "place", "tczyx", labels, [("labels/a", moved)])
    (fault,) = [v for v in check(store) if v.rule.startswith(rules)]
    assert (fault.expected, fault.found) == ("x from -0.5 to 65.5", "x from 39.5 to 105.5")
