"""What napari is handed: layers of stores as they are, without napari itself."""

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from ngffseg import Geometry, Segment, Segmentation, open_labels, write_labels
from ngffseg.errors import NgffsegError, StoreNotFoundError
from ngffseg.labels import write_segmentation
from ngffseg.napari_plugin.reader import get_reader, read
from ngffseg.store import metered
from tests.napari_plugin import volumes


def test_the_plugin_costs_nothing_before_it_is_used():
    """Its modules import no napari, no Qt and no magicgui."""
    program = (
        "import sys, ngffseg.napari_plugin.reader, ngffseg.napari_plugin.widgets, ngffseg.napari_plugin.saving,"
        " ngffseg.napari_plugin.sample; print([m for m in sys.modules if m.split('.')[0] in"
        " ('napari', 'qtpy', 'PyQt6', 'magicgui', 'npe2')])"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_manifest_is_valid():
    """As npe2 judges it, every command of it included."""
    found = subprocess.run(
        [sys.executable, "-m", "npe2", "validate", "ngffseg", "--imports"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout + found.stderr
    assert "valid" in found.stdout


@pytest.mark.parametrize("path", ["a.zarr", "a.ome.zarr/", "s3://b/a.ome.zarr", "a.zarr/labels/x", "a.ozx"])
def test_stores_are_ours_by_name(path):
    """Whether they are there is told when they are read."""
    assert get_reader(path) is read
    assert get_reader([path, path]) is read


@pytest.mark.parametrize("path", ["a.nii.gz", "a.tif", "zarr", "labels/x", []])
def test_other_files_are_not(path):
    """napari asks others then."""
    assert get_reader(path) is None


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_an_image_and_its_segmentation(tmp_path, version):
    """The image, then the labels: visible, multiscale, in their colors, with their names, ids exact."""
    volumes.write(tmp_path / "a.zarr", volumes.axial(), ngff=version)
    image, labels = read(str(tmp_path / "a.zarr"))
    assert [image[2], labels[2]] == ["image", "labels"]
    assert [image[1]["name"], labels[1]["name"]] == ["ct", "boxes"]
    assert labels[1]["visible"]
    assert labels[1]["multiscale"]
    assert image[1]["multiscale"]
    assert labels[0][0].dtype == np.uint64
    np.testing.assert_array_equal(np.asarray(labels[0][0]), volumes.two_boxes())
    np.testing.assert_array_equal(
        np.asarray(labels[0][1][3]), open_labels(tmp_path / "a.zarr").levels[1][3].compute()
    )
    features = labels[1]["features"]
    assert features["index"].tolist() == [7, 2**63 + 5]
    assert features["name"].tolist() == ["seven", "nine"]
    assert features["voxels"].tolist() == [2000, 2000]
    assert features["centroid_x"].tolist() == [19.5, 59.5]
    assert labels[1]["colormap"][2**63 + 5].tolist() == [0, 1, 0, 1]
    assert labels[1]["colormap"][7].tolist() == [1, 0, 0, 1]
    low, high = image[1]["contrast_limits"]
    assert 0 <= low < 100 < 300 < high <= 400
    np.testing.assert_array_equal(labels[1]["affine"][0], [2.5, 0, 0, -300])
    assert labels[1]["units"] == ("millimeter",) * 3


def test_the_address_of_a_label_image_opens_it_alone(tmp_path):
    """Neither the image nor its neighbours."""
    volumes.write(tmp_path / "a.zarr", volumes.axial())
    write_labels(
        tmp_path / "a.zarr",
        volumes.two_boxes("uint8"),
        name="more",
        geometry=open_labels(tmp_path / "a.zarr").geometry,
    )
    assert [layer[1]["name"] for layer in read(f"{tmp_path}/a.zarr/labels/more")] == ["more"]
    assert [layer[1]["name"] for layer in read(str(tmp_path / "a.zarr"))] == ["ct", "boxes", "more"]


def test_overlapping_segments_are_layers(tmp_path):
    """A second layer is called by the segment that it holds, or by its number."""
    labels = volumes.two_boxes("uint8")
    segments = (
        Segment(7, name="lung"),
        Segment(9, id="b", name="tumor", layer=1),
        Segment(7, id="c", name="vessel", layer=2),
    )
    more = Segment(9, id="d", name="airway", layer=2)
    written = Segmentation((labels,) * 3, (*segments, more), Geometry(labels.shape, volumes.axial()))
    write_segmentation(tmp_path / "a.zarr", written, name="chest")
    assert [layer[1]["name"] for layer in read(str(tmp_path / "a.zarr"))] == [
        "chest",
        "chest: tumor",
        "chest (layer 3)",
    ]


def test_a_plane_costs_its_chunks_alone(tmp_path):
    """Not more chunks are fetched than a plane touches, and each of them once."""
    labels = np.random.default_rng(1).integers(0, 9, (64, 96, 96)).astype("uint8")
    write_labels(tmp_path / "a.zarr", labels, name="a", chunks=16, shards=None)
    with metered() as meter:
        (levels, _, _) = read(str(tmp_path / "a.zarr"))[0]
        before = meter.total
        # As napari does: first the part in view, then the plane.
        part = levels[0][:, 16:80, 16:48]
        assert meter.total == before
        np.testing.assert_array_equal(part[20], labels[20, 16:80, 16:48])
        assert meter.total - before == 4 * 2
        np.testing.assert_array_equal(part[21], labels[21, 16:80, 16:48])
        assert meter.total - before == 4 * 2


@pytest.mark.parametrize("count", [25_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_a_table_of_many_segments(tmp_path, count):
    """With names; more than napari takes colors of go without."""
    labels = np.arange(1, count + 1, dtype="uint32").reshape(10, -1, 100)
    segments = [Segment(n, name=f"cell {n}") for n in range(1, count + 1)]
    write_labels(tmp_path / "a.zarr", labels, name="a", segments=segments)
    tracemalloc.start()
    (_, keywords, _) = read(str(tmp_path / "a.zarr"))[0]
    assert tracemalloc.get_traced_memory()[1] < 10_000 * count
    tracemalloc.stop()
    assert keywords["features"]["name"][[0, -1]].tolist() == ["cell 1", f"cell {count}"]
    assert "colormap" not in keywords
    fewer = labels % 20_001
    write_labels(tmp_path / "b.zarr", fewer, name="b")
    (_, keywords, _) = read(str(tmp_path / "b.zarr"))[0]
    assert len(keywords["features"]["index"]) == 20_000
    assert len(keywords["colormap"]) == 20_002


def test_labels_of_others_without_an_index(tmp_path):
    """They open with what their colors and properties tell."""
    volumes.write(tmp_path / "a.zarr", volumes.axial())
    import shutil

    shutil.rmtree(tmp_path / "a.zarr" / "ngffseg" / "index")
    features = read(str(tmp_path / "a.zarr"))[1][1]["features"]
    assert list(features) == ["index", "name", "id"]
    assert features["name"].tolist() == ["seven", "nine"]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("{}/nothing.zarr", "no OME-Zarr store there"),
        ("{}/a.zarr/labels/other", "no label image 'other'"),
        ("{}/empty.zarr", "neither an image nor labels"),
    ],
)
def test_bad_addresses_are_told_in_one_line(tmp_path, address, said):
    """What is wrong, and what to do."""
    import zarr

    volumes.write(tmp_path / "a.zarr", volumes.axial())
    root = zarr.open_group(tmp_path / "empty.zarr", mode="w")
    root.create_group("labels", attributes={"ome": {"version": "0.5", "labels": []}})
    with pytest.raises(StoreNotFoundError, match=said) as error:
        read(address.format(tmp_path))
    assert "\n" not in str(error.value)


def test_a_bucket_that_needs_keys(bucket, monkeypatch):
    """The line says which keys."""
    volumes.write(f"{bucket.url}/a.zarr", volumes.axial())
    assert len(read(f"{bucket.url}/a.zarr")) == 2
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(NgffsegError, match="AWS_ACCESS_KEY_ID") as error:
        read(f"{bucket.url}/a.zarr")
    assert "\n" not in str(error.value)
