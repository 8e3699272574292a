"""Files that join an image, as another file or in a store: voxels lie where SimpleITK has them."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
import slicerio

from ngffseg import Geometry, check, import_segmentation, open_labels, write_labels
from ngffseg.cli.main import run
from ngffseg.convert import forecast_import
from ngffseg.errors import LabelValueError, NgffsegWarning, UsageError
from ngffseg.geometry import identity_order
from ngffseg.labels import open_image
from ngffseg.labels.plan.fingerprint import options_digest
from tests.labels.stores import digest, faults

LABELS, CT = "Segmentation.seg.nrrd", "CTChest4.nrrd"


@pytest.fixture(scope="module")
def slicer(tmp_path_factory):
    """Labels and CT of one grid, whose axes grow to right, anterior and superior: files in other orders, and parts."""
    folder = tmp_path_factory.mktemp("orders")
    data = Path(slicerio.__file__).parent / "data"
    labels, ct = (sitk.ReadImage(str(data / name)) for name in (LABELS, CT))
    for order in ("LPS", "RAS", "PIR"):
        for name, image in (("labels", labels), ("ct", ct)):
            sitk.WriteImage(sitk.DICOMOrient(image, order), str(folder / f"{name}_{order}.nii.gz"))
    organ = sitk.Cast(labels == 1, sitk.sitkUInt8)
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(organ)
    box = shape.GetBoundingBox(1)
    cut = sitk.RegionOfInterest(organ, box[3:], box[:3])
    sitk.WriteImage(sitk.DICOMOrient(cut, "AIL"), str(folder / "organ.nii.gz"))
    sitk.WriteImage(organ, str(folder / "whole_organ.nii.gz"))
    coarse = sitk.Resample(organ, [64, 64, 34], sitk.Transform(), sitk.sitkNearestNeighbor, organ.GetOrigin(),
                           [s * f for s, f in zip(organ.GetSpacing(), (2, 2, 1), strict=True)],
                           organ.GetDirection())  # fmt: skip
    sitk.WriteImage(coarse, str(folder / "coarse.nii.gz"))
    far = sitk.Image(organ)
    far.SetOrigin([x + 434 for x in organ.GetOrigin()])
    sitk.WriteImage(far, str(folder / "far.nii.gz"))
    return folder


def seen(file, value):
    """The middle of a label, by SimpleITK."""
    image = sitk.ReadImage(str(file))
    index = np.argwhere(sitk.GetArrayFromImage(image) == value).mean(axis=0)[::-1]
    return image.TransformContinuousIndexToPhysicalPoint(index.tolist())


def middle(image, value):
    index = np.argwhere(image.read() == value).mean(axis=0)[::-1]
    return (image.geometry.affine @ [*index, 1])[:3]


def test_labels_of_another_order_beside_their_image(slicer, tmp_path):
    """Why: RAS NIfTI labels on an LPS CT are what everybody has; they were refused."""
    store = tmp_path / "a.zarr"
    written = import_segmentation(
        slicer / "labels_RAS.nii.gz", store, name="a", image=slicer / "ct_LPS.nii.gz"
    )
    assert written.geometry.shape == open_image(store).geometry.shape
    np.testing.assert_array_equal(written.geometry.affine, open_image(store).geometry.affine)
    for value in (1, 2, 3):
        np.testing.assert_allclose(
            middle(written, value), seen(slicer / "labels_RAS.nii.gz", value), atol=1e-3
        )
    assert faults(store) == []


@pytest.mark.parametrize("first", ["LPS", "RAS"])
def test_labels_of_another_order_in_a_store(slicer, tmp_path, first):
    """Why: they were accepted without a word, and placed wrong by every reader of NGFF."""
    store = tmp_path / "a.zarr"
    import_segmentation(
        slicer / f"labels_{first}.nii.gz", store, name="a", image=slicer / f"ct_{first}.nii.gz"
    )
    before = json.loads((store / "labels/a/zarr.json").read_text())["attributes"]["ome"]["multiscales"][0]
    for order in ("LPS", "RAS", "PIR"):
        written = import_segmentation(slicer / f"labels_{order}.nii.gz", store, name=order)
        np.testing.assert_array_equal(written.read(), open_labels(store, "a").read())
        told = json.loads((store / f"labels/{order}/zarr.json").read_text())["attributes"]["ome"][
            "multiscales"
        ][0]
        assert (told["axes"], told["datasets"]) == (before["axes"], before["datasets"])


def test_an_organ_in_its_own_box_joins_its_scan(slicer, tmp_path):
    """Why: an organ cropped to its own box cannot join its scan."""
    store = tmp_path / "a.zarr"
    import_segmentation(slicer / "labels_LPS.nii.gz", store, name="a", image=slicer / "ct_LPS.nii.gz")
    with pytest.warns(UserWarning, match="the rest is background"):
        written = import_segmentation(slicer / "organ.nii.gz", store, name="organ")
    np.testing.assert_array_equal(written.read(), (open_labels(store, "a").read() == 1).astype("u1"))
    # An image of the organ's box takes the whole scan's labels only where they are to be cropped.
    small = tmp_path / "small.zarr"
    with pytest.raises(UsageError, match="would lose"):
        import_segmentation(slicer / "labels_LPS.nii.gz", small, image=slicer / "organ.nii.gz")
    assert not small.exists()
    with pytest.warns(UserWarning, match="they were left out"):
        written = import_segmentation(
            slicer / "labels_LPS.nii.gz", small, image=slicer / "organ.nii.gz", crop=True
        )
    np.testing.assert_array_equal(written.read() == 1, np.asarray(open_image(small).data[...]) == 1)


def test_what_is_said_on_the_command_line(slicer, tmp_path, capsys):
    """--crop, --resample, --force-place; lines on stderr, and "said" of --json."""
    store = tmp_path / "a.zarr"
    ct = ["--image", str(slicer / "ct_LPS.nii.gz")]
    assert run(["import", str(slicer / "labels_LPS.nii.gz"), str(store), "--name", "a", *ct, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["said"] == []
    before = digest(store)
    for file, text in (("far", "does not overlap"), ("coarse", "--resample nearest")):
        assert run(["import", str(slicer / f"{file}.nii.gz"), str(store)]) == 2
        told = capsys.readouterr().err
        assert text in told
        assert told.count("\n") == 1
    assert run(["import", str(slicer / "far.nii.gz"), str(store), "--resample", "nearest"]) == 2
    assert digest(store) == before
    capsys.readouterr()
    words = ["import", str(slicer / "coarse.nii.gz"), str(store), "--resample", "nearest"]
    assert run([*words, "--dry-run", "--json"]) == 0
    planned = json.loads(capsys.readouterr().out)["said"]
    assert digest(store) == before
    assert run([*words, "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["said"] == planned
    assert err == f"ngffseg: {planned[0]}\n"
    found, there = middle(open_labels(store, "coarse"), 1), seen(slicer / "coarse.nii.gz", 1)
    np.testing.assert_allclose(found, there, atol=3)  # half a voxel of the coarser grid
    assert run(["import", str(slicer / "far.nii.gz"), str(store), "--force-place"]) == 0
    assert "keep their own" in capsys.readouterr().err
    assert any("coordinate transformations" in v.rule for v in check(store))


def test_a_finished_import_is_known_again(slicer, tmp_path):
    """Options that are not given are no part of what a run is known by."""
    store, source = tmp_path / "a.zarr", slicer / "labels_RAS.nii.gz"
    import_segmentation(slicer / "labels_LPS.nii.gz", store, name="a", image=slicer / "ct_LPS.nii.gz")
    import_segmentation(source, store, name="b")
    assert run(["import", str(source), str(store), "--name", "c"]) == 0
    before = digest(store)
    import_segmentation(source, store, name="b", resume=True)
    assert forecast_import(source, store, name="b", resume=True).finished
    assert run(["import", str(source), str(store), "--name", "c", "--resume"]) == 0
    assert digest(store) == before
    # So ngffseg 0.1 has known it.
    made = json.loads((store / "labels/zarr.json").read_text())["attributes"]["ngffseg"]["segmentations"][-1][
        "made"
    ]
    assert made["options"] == options_digest({"method": "mode", "tie": "balanced"})


def test_a_scan_given_as_labels(slicer, tmp_path):
    """Build 8: it looks like an image."""
    ct = sitk.ReadImage(str(slicer / "ct_LPS.nii.gz"))
    for kind in (sitk.sitkInt16, sitk.sitkFloat32):
        for suffix in (".nii.gz", ".nrrd"):
            sitk.WriteImage(sitk.Cast(ct, kind), str(tmp_path / f"ct{suffix}"))
            with pytest.raises(LabelValueError, match="looks like an image: give it as the image"):
                import_segmentation(tmp_path / f"ct{suffix}", tmp_path / "a.zarr")
    assert not (tmp_path / "a.zarr").exists()


def without_codes(folder, name):
    """A NIfTI file of the same voxels that tells no patient frame."""
    image = nib.load(folder / name)
    bare = nib.Nifti1Image(np.asarray(image.dataobj), None)
    bare.header.set_zooms(image.header.get_zooms())
    bare.header.set_sform(None, 0)
    bare.header.set_qform(None, 0)
    nib.save(bare, folder / f"bare_{name}")
    return folder / f"bare_{name}"


@pytest.mark.filterwarnings("ignore::ngffseg.errors.NgffsegWarning")
@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("bare", ["labels", "image"])
def test_files_without_a_place_go_index_for_index_with_the_file_of_the_image(
    slicer, tmp_path, bare, together
):
    """Whatever order the image, or labels alone, would be stored in."""
    labels, ct, store = slicer / "labels_PIR.nii.gz", slicer / "ct_PIR.nii.gz", tmp_path / "a.zarr"
    expected = np.asarray(nib.load(labels).dataobj).T
    labels, ct = (
        (without_codes(slicer, labels.name), ct)
        if bare == "labels"
        else (labels, without_codes(slicer, ct.name))
    )
    import_segmentation(labels, store, name="a", image=ct)
    if not together:
        import_segmentation(labels, store, name="b")
    found = open_labels(store, "a" if together else "b").read()
    image = open_image(store)
    order = image.source_grid.order if image.source_grid is not None else identity_order(3)
    assert (bare == "image") == order.is_identity
    np.testing.assert_array_equal(order.inverse.apply(found), expected)
    assert open_labels(store, "a").geometry.shape == image.geometry.shape


def test_arrays_go_index_for_index_with_what_is_stored(slicer, tmp_path):
    """Who has read the image out of the store has read it in that order."""
    store = tmp_path / "a.zarr"
    stored = import_segmentation(
        slicer / "labels_PIR.nii.gz", store, name="a", image=slicer / "ct_PIR.nii.gz"
    )
    with pytest.warns(NgffsegWarning, match="index for index"):
        again = write_labels(
            store,
            stored.read(),
            name="b",
            geometry=Geometry(stored.geometry.shape, np.eye(4), units=(None,) * 3),
        )
    np.testing.assert_array_equal(again.read(), stored.read())
