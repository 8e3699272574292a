"""A real napari with Qt, on a display that nobody sees: what is seen, painted and saved."""

import shutil

import numpy as np
import pytest

from ngffseg import Segment, check, open_labels, segment_index, write_labels
from ngffseg.labels import open_contents
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
    assert len(open_labels(tmp_path / "a.zarr").arrays) == 1
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
