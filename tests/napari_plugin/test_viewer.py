"""A real napari with Qt, on a display that nobody sees: what is seen, painted and saved."""

import shutil

import numpy as np
import pytest

from ngffseg import Segment, check, open_labels, segment_index, write_labels
from ngffseg.geometry import described_grid
from ngffseg.labels import open_contents
from ngffseg.model import Volume
from tests.napari_plugin import volumes
from tests.napari_plugin.conftest import session

# No float32 holds it.
LARGE = 2**40 + 1


def near(found, color, tolerance=60):
    """Whether a color is drawn: labels are drawn over the image, so it is mixed with gray."""
    return np.argmax(found) == np.argmax(color) and max(found) - sorted(found)[1] > tolerance


@pytest.mark.parametrize("affine", ["axial", "sagittal"])
def test_labels_are_seen_where_they_are(screen, tmp_path, affine):
    """Their colors at known voxels, the exact label under the cursor, names in the status bar."""
    volumes.write(tmp_path / "a.zarr", getattr(volumes, affine)())
    opened, _, seven, nothing, _, nine, told, again = session(
        screen,
        ["open", f"{tmp_path}/a.zarr"],
        ["go", "boxes", volumes.SEVEN],
        ["color", "boxes", volumes.SEVEN],
        ["color", "boxes", volumes.NOTHING],
        ["go", "boxes", volumes.NINE],
        ["color", "boxes", volumes.NINE],
        ["value", "boxes", volumes.NINE],
        ["color", "boxes", [14, 14, 19]],
    )
    assert [layer["name"] for layer in opened["layers"]] == ["ct", "boxes"]
    assert all(layer["visible"] and layer["multiscale"] for layer in opened["layers"])
    assert opened["layers"][1]["dtype"] == "uint64"
    assert near(seven, volumes.RED[:3])
    assert near(nine, volumes.GREEN[:3])
    for gray in (nothing, again):
        assert max(gray) - min(gray) < 20
    assert told[0] == 2**63 + 5
    assert "nine" in told[1]


@pytest.mark.parametrize(("kind", "affine"), [("disk", "oblique"), ("s3", "axial")])
def test_a_stroke_is_in_the_store_at_all_levels(screen, tmp_path, request, kind, affine):
    """Painted with the mouse, saved, and equal to what a full write of the same labels gives."""
    store = f"{tmp_path}/a.zarr" if kind == "disk" else f"{request.getfixturevalue('bucket').url}/a.zarr"
    volumes.write(store, getattr(volumes, affine)())
    before = open_labels(store).read()
    answers = session(
        screen,
        ["open", store],
        ["go", "boxes", [24, 30, 40]],
        ["widget", "Paint on stored labels", {"layer": "boxes"}],
        ["stroke", "boxes (painting)", [24, 30, 30], [24, 30, 60], LARGE, 4],
        ["color", "boxes (painting)", [24, 30, 45]],
        ["widget", "Save labels", {"layer": "boxes (painting)"}],
        ["table", "boxes"],
        ["stroke", "boxes (painting)", [24, 40, 30], [24, 40, 40], 6, 2],
        ["undo", "boxes (painting)"],
        ["widget", "Save labels", {"layer": "boxes (painting)"}],
    )
    assert answers[3]["changed"] == 1
    assert "1 box saved" in answers[5]["answer"]
    assert answers[6]["index"] == ["7", str(LARGE), str(2**63 + 5)]
    assert "0 boxes saved" in answers[9]["answer"]
    image = open_labels(store)
    after = image.read()
    changed = np.argwhere(after != before)
    assert set(after[after != before].tolist()) == {LARGE}
    # Where the mouse was, in that plane and no other.
    assert set(changed[:, 0].tolist()) == {24}
    assert changed[:, 1].min() >= 27
    assert changed[:, 1].max() <= 33
    assert changed[:, 2].min() in range(27, 31)
    assert changed[:, 2].max() in range(60, 64)
    assert (after[24, 30, 31:60] == LARGE).all()
    write_labels(tmp_path / "full.zarr", after, name="boxes", geometry=image.geometry, chunks=16)
    for mine, theirs in zip(image.levels, open_labels(tmp_path / "full.zarr").levels, strict=True):
        np.testing.assert_array_equal(mine.compute(), theirs.compute())
    assert segment_index(image)[LARGE].voxels == len(changed)
    assert not [v for v in check(store) if v.severity == "MUST"]


def test_a_new_layer_becomes_a_label_image(screen, tmp_path):
    """Under its name, on the grid of the image, exactly; and can be painted on and saved again."""
    volumes.write(tmp_path / "a.zarr", volumes.oblique())
    answers = session(
        screen,
        ["open", f"{tmp_path}/a.zarr"],
        ["new_labels", "boxes", "my cells"],
        ["widget", "Save labels", {"layer": "my cells"}],
        ["widget", "Save labels", {"layer": "my cells"}],
    )
    assert answers[2]["answer"].endswith("labels/my cells: saved")
    assert "0 boxes saved" in answers[3]["answer"]
    first, new = (open_labels(tmp_path / "a.zarr", name) for name in ("boxes", "my cells"))
    assert new.geometry == first.geometry
    expected = np.zeros(volumes.SHAPE, "uint16")
    expected[10:20, 15:30, 20:40] = 3
    np.testing.assert_array_equal(new.read(), expected)
    assert not [v for v in check(tmp_path / "a.zarr") if v.severity == "MUST"]


def test_saving_by_the_menu(screen, tmp_path):
    """An image with labels becomes a store, colors and names included; what was painted goes back."""
    volumes.write(tmp_path / "a.zarr", volumes.axial())
    answers = session(
        screen,
        ["open", f"{tmp_path}/a.zarr"],
        ["new_labels", "boxes", "fresh"],
        ["save", f"{tmp_path}/b.ome.zarr", "ct", "fresh", "boxes"],
        ["go", "boxes", [24, 30, 40]],
        ["widget", "Paint on stored labels", {"layer": "boxes"}],
        ["stroke", "boxes (painting)", [24, 30, 30], [24, 30, 60], 5, 4],
        ["save", f"{tmp_path}/a.zarr", "boxes (painting)"],
    )
    assert answers[2] == [f"{tmp_path}/b.ome.zarr/labels/{name}" for name in ("boxes", "fresh")]
    assert answers[6] == [f"{tmp_path}/a.zarr/labels/boxes"]
    first, copied, fresh = (
        open_labels(tmp_path / store, name)
        for store, name in (("a.zarr", "boxes"), ("b.ome.zarr", "boxes"), ("b.ome.zarr", "fresh"))
    )
    assert first.read()[24, 30, 45] == 5
    np.testing.assert_array_equal(copied.read(), volumes.two_boxes())
    assert {s.label_value: (s.name, s.color) for s in copied.segments} == {
        7: ("seven", volumes.RED),
        2**63 + 5: ("nine", volumes.GREEN),
    }
    assert copied.geometry == first.geometry
    assert (fresh.read() == 3).sum() == 10 * 15 * 20
    image = open_contents(tmp_path / "b.ome.zarr").image
    np.testing.assert_array_equal(image.read(), open_contents(tmp_path / "a.zarr").image.read())
    assert not [v for v in check(tmp_path / "b.ome.zarr") if v.severity == "MUST"]


def test_labels_of_one_level_are_seen_and_painted(screen, tmp_path):
    """Any such label image raised; its stored properties are in the table."""
    labels = np.zeros((60, 60), "uint8")
    labels[10:30, 10:40] = 7
    segments = [Segment(7, name="seven", color=volumes.RED, properties={"area": 2.5})]
    write_labels(tmp_path / "a.zarr", labels, name="boxes", segments=segments, image=labels)
    assert len(open_labels(tmp_path / "a.zarr")._arrays) == 1
    opened, seen, told, table, _, _, saved = session(
        screen,
        ["open", f"{tmp_path}/a.zarr"],
        ["color", "boxes", [20, 20]],
        ["value", "boxes", [20, 20]],
        ["table", "boxes"],
        ["widget", "Paint on stored labels", {"layer": "boxes"}],
        ["stroke", "boxes (painting)", [50, 20], [50, 50], 9, 4],
        ["widget", "Save labels", {"layer": "boxes (painting)"}],
    )
    assert opened["layers"][1]["shape"] == [60, 60]
    assert near(seen, volumes.RED[:3])
    assert told[0] == 7
    assert "area: 2.5" in told[1]
    assert table["area"] == ["2.5"]
    assert "1 box saved" in saved["answer"]
    assert open_labels(tmp_path / "a.zarr").read()[50, 40] == 9


RED, GREEN = [Segment(1, color=volumes.RED)], [Segment(2, color=volumes.GREEN)]


def test_channels_and_time(screen, tmp_path):
    """Three stores in one session: labels are seen at their times and planes, painted, saved, and drawn anew."""
    scale = {"t": 60, "z": 2, "y": 0.5, "x": 0.5}
    series, cells, tracks = (
        np.zeros(shape, "u2") for shape in ((2, 2, 4, 60, 60), (4, 60, 60), (2, 4, 60, 60))
    )
    series[..., 0, 0], cells[2, 5:25, 5:25], tracks[1, 2, 35:55, 35:55] = 90, 1, 2
    store = tmp_path / "series.zarr"
    write_labels(store, tracks, name="tracks", image=series, segments=GREEN, scale=scale, units="micrometer")
    write_labels(store, cells, name="cells", segments=RED)
    dish, colonies = tmp_path / "dish.zarr", np.zeros((60, 60), "u2")
    colonies[5:25, 5:25] = 1
    write_labels(dish, colonies, name="colonies", axes="yx", image=series[0, :, 0], segments=RED)
    plane = Volume(np.zeros((3, 1, 60, 60), "u2"), described_grid((3, 1, 60, 60), axes="tzyx"))
    film, worms = tmp_path / "film.zarr", np.zeros((3, 60, 60), "u2")
    worms[2, 5:25, 5:25] = 1
    write_labels(film, worms, name="worms", axes="tyx", image=plane, segments=RED)
    stroke = [[2, 40, 10], [2, 40, 30], 7, 4]
    answers = session(
        screen,
        ["open", str(store)],
        ["go", "tracks", [1, 2, 45, 45]],
        *([["color", "tracks", [1, 2, 45, 45]], ["color", "cells", [2, 15, 15]]]),
        *([["value", "tracks", [1, 2, 45, 45]], ["value", "cells", [2, 15, 15]]]),
        ["go", "tracks", [0, 2, 45, 45]],
        *([["color", "tracks", [0, 2, 45, 45]], ["color", "cells", [2, 15, 15]]]),
        ["widget", "Paint on stored labels", {"layer": "cells"}],
        ["stroke", "cells (painting)", *stroke],
        ["widget", "Save labels", {"layer": "cells (painting)"}],
        ["draw_new", "image: channel 1", "new"],
        ["widget", "Save labels", {"layer": "new"}],
        ["clear"],
        ["open", str(dish)],
        *([["color", "colonies", [15, 15]], ["value", "colonies", [15, 15]]]),
        ["draw_new", "image: channel 0", "plate"],
        ["widget", "Save labels", {"layer": "plate"}],
        ["clear"],
        ["open", str(film)],
        ["go", "worms", [2, 0, 15, 15]],
        *([["color", "worms", [2, 0, 15, 15]], ["value", "worms", [2, 0, 15, 15]]]),
        ["go", "worms", [1, 0, 15, 15]],
        ["color", "worms", [1, 0, 15, 15]],
        ["widget", "Paint on stored labels", {"layer": "worms"}],
        ["stroke", "worms (painting)", [1, 0, 40, 10], [1, 0, 40, 30], 7, 4],
        ["widget", "Save labels", {"layer": "worms (painting)"}],
    )  # fmt: skip
    names = ["image: channel 0", "image: channel 1", "tracks", "cells"]
    assert [layer["name"] for layer in answers[0]["layers"]] == names
    assert near(answers[2], volumes.GREEN[:3])
    assert (answers[4][0], answers[5][0]) == (2, 1)
    # All times share what has no time.
    assert max(answers[7]) < 20
    assert all(near(answers[number], volumes.RED[:3]) for number in (3, 8, 16, 23))
    assert (answers[17][0], answers[24][0], max(answers[26]) < 20) == (1, 1, True)
    assert answers[12] == [["t", "z", "y", "x"], [2, 4, 60, 60]]
    assert answers[18] == [["y", "x"], [60, 60]]
    for url, name, before, where in ((store, "cells", cells, [2]), (film, "worms", worms, [1])):
        image = open_labels(url, name)
        painted = image.read()
        assert np.unique(np.argwhere(painted != before)[:, 0]).tolist() == where
        assert (painted[where[0], 40, 11:30] == 7).all()
        full = write_labels(url, painted, name=f"{name} again", axes=image.geometry.axes)
        for mine, theirs in zip(image.levels, full.levels, strict=True):
            np.testing.assert_array_equal(mine.compute(), theirs.compute())
        assert segment_index(image)[7].voxels == (painted == 7).sum()
    new = open_labels(store, "new")
    assert (new.geometry, (new.read() == 3).sum()) == (open_labels(store, "tracks").geometry, 2 * 3 * 10 * 10)
    assert open_labels(dish, "plate").geometry == open_labels(dish, "colonies").geometry
    for url in (store, dish, film):
        assert [v for v in check(url) if v.severity == "MUST"] == []


@pytest.mark.long
def test_the_sample_is_the_demo(screen, monkeypatch, tmp_path):
    """A chest CT with its overlapping segmentation."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    ((names),) = session(screen, ["sample", "chest"])
    assert names == ["CTChest4", "organs", "organs: overlapping sphere"]


def test_the_first_picture_of_a_large_image_takes_few_requests(screen, tmp_path):
    """All of a plane of 1024^2 voxels at full resolution is 16 shards: fewer than 30 requests in all."""
    import dask.array as da

    labels = da.zeros((1024, 1024, 1024), chunks=256, dtype="uint32").map_blocks(_cells, dtype="uint32")
    write_labels(tmp_path / "a.zarr", labels[:256], name="cells")
    (opened,) = session(screen, ["open", f"{tmp_path}/a.zarr"])
    shutil.rmtree(tmp_path / "a.zarr")
    assert opened["requests"] < 30, opened


def _cells(_block, block_info=None):
    """Cells of 32^3 voxels, all different."""
    places = np.ogrid[tuple(slice(a, b) for a, b in block_info[0]["array-location"])]
    z, y, x = (p // 32 for p in places)
    return ((z * 32 + y) * 32 + x + 1).astype("uint32")


def test_bad_addresses_and_widgets_say_what_to_do(screen, tmp_path):
    """In one line, as napari shows it."""
    volumes.write(tmp_path / "a.zarr", volumes.axial())
    steps = [
        ["open", f"{tmp_path}/a.zarr"],
        ["open", f"{tmp_path}/b.zarr"],
        ["widget", "Save labels", {"layer": "boxes"}],
        ["new_labels", "boxes", "boxes"],
        ["widget", "Save labels", {"layer": "boxes [1]"}],
        ["widget", "Paint on stored labels", {"layer": "boxes [1]"}],
        ["widget", "Save labels", {"layer": "boxes [1]", "store": f"{tmp_path}/c.ozx"}],
        ["widget", "Save labels", {"layer": "boxes [1]", "store": f"{tmp_path}/d.zarr"}],
    ]
    answers = session(screen, *steps, failing=True)
    assert "does not exist" in answers[1]["error"]
    assert "cannot be painted on" in answers[2]["error"]
    assert answers[4]["answer"].endswith("labels/boxes _1: saved")  # napari has changed the name
    assert "is a single file" in answers[6]["error"]
    copied = open_labels(tmp_path / "d.zarr").read()
    np.testing.assert_array_equal(copied, open_labels(tmp_path / "a.zarr", "boxes _1").read())
    assert all("\n" not in answer.get("error", "") for answer in answers if isinstance(answer, dict))
