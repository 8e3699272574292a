"""Files to stores and back: voxels, keys and geometry, judged by other libraries."""

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
import slicerio

from ngffseg import Geometry, Segment, export_segmentation, import_segmentation, open_labels, write_labels
from ngffseg.convert import forecast_import
from ngffseg.errors import FormatError, LossError, StoreNotFoundError, UnknownFormatError, UsageError
from ngffseg.formats import read_volume, write_segmentation
from ngffseg.geometry import reordered
from ngffseg.labels import open_image
from ngffseg.model import Segmentation
from tests.formats.test_nifti import REAL, assert_equal_elsewhere
from tests.formats.test_seg_nrrd import raw_keys
from tests.labels.stores import digest, faults

SLICER = ("Segmentation.seg.nrrd", "SegmentationOverlapping.seg.nrrd")


@pytest.fixture(params=["0.5", "0.4"])
def version(request):
    return request.param


@pytest.mark.parametrize("name", SLICER)
def test_a_real_seg_nrrd_goes_in_and_comes_out_equal(name, version, slicer_files, tmp_path):
    source, store, target = slicer_files / name, tmp_path / "a.ome.zarr", tmp_path / name
    image = import_segmentation(source, store, ngff=version)
    assert image.name == name.removesuffix(".seg.nrrd")
    assert faults(store) == []
    assert export_segmentation(store, target) == ()
    assert raw_keys(source) == raw_keys(target)
    before, after = slicerio.read_segmentation(str(source)), slicerio.read_segmentation(str(target))
    np.testing.assert_array_equal(before["voxels"], after["voxels"])
    np.testing.assert_array_equal(before["ijkToLPS"], after["ijkToLPS"])
    assert before["segments"] == after["segments"]
    one, two = sitk.ReadImage(str(source)), sitk.ReadImage(str(target))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(one), sitk.GetArrayFromImage(two))
    assert (one.GetOrigin(), one.GetSpacing(), one.GetDirection()) == (
        two.GetOrigin(),
        two.GetSpacing(),
        two.GetDirection(),
    )


@pytest.mark.parametrize("name", REAL)
def test_a_real_nifti_goes_in_and_comes_out_equal(name, shared_data, tmp_path):
    source, store, target = shared_data / "nifti" / name, tmp_path / "a.ome.zarr", tmp_path / "back.nii.gz"
    import_segmentation(source, store)
    assert faults(store) == []
    assert export_segmentation(store, target) == ()
    assert_equal_elsewhere(source, target)


def test_a_nifti_that_the_test_makes(tmp_path):
    labels = np.random.default_rng(0).integers(0, 3, (7, 8, 9)).astype(np.int16)
    affine = np.array([[0, -2, 0, 5], [1, 0, 0, -6], [0, 0, 3, 7], [0, 0, 0, 1]])
    made = Segmentation(
        (labels,), (Segment(1, name="Leber"), Segment(2, name="Milz")), Geometry(labels.shape, affine)
    )
    write_segmentation(made, tmp_path / "a.nii.gz")
    import_segmentation(tmp_path / "a.nii.gz", tmp_path / "a.ome.zarr")
    export_segmentation(tmp_path / "a.ome.zarr", tmp_path / "b.nii.gz", strict=True)
    assert_equal_elsewhere(tmp_path / "a.nii.gz", tmp_path / "b.nii.gz")


@pytest.mark.parametrize("suffix", [".nii.gz", ".nii", ".seg.nrrd", ".nrrd"])
@pytest.mark.parametrize("value", [2**53 + 1, 2**63 + 5])
def test_large_labels_come_out_exactly(value, suffix, tmp_path):
    labels = np.zeros((8, 8, 8), np.uint64)
    labels[2:5] = value
    write_labels(tmp_path / "a.zarr", labels, name="a", segments=[Segment(value, name="soma")])
    export_segmentation(tmp_path / "a.zarr", tmp_path / f"b{suffix}")
    if suffix.startswith(".nii"):
        got = np.asanyarray(nib.load(tmp_path / f"b{suffix}").dataobj).T
    else:
        got = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / f"b{suffix}")))
    assert got.dtype == np.uint64
    np.testing.assert_array_equal(got, labels)
    image = import_segmentation(tmp_path / f"b{suffix}", tmp_path / "c.zarr", name="a")
    assert [s.label_value for s in image.segments] == [value]


def test_an_edited_store_gives_an_edited_file(slicer_files, tmp_path):
    store = tmp_path / "a.zarr"
    import_segmentation(slicer_files / SLICER[0], store, name="organs")
    image = open_labels(store, "organs")
    labels = image.read()
    labels[0, :2, :2] = 5
    write_labels(
        store, labels, name="organs", segments=image.segments, geometry=image.geometry, overwrite=True
    )
    export_segmentation(store, tmp_path / "b.seg.nrrd")
    got = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "b.seg.nrrd")))
    np.testing.assert_array_equal(got, labels)
    assert raw_keys(tmp_path / "b.seg.nrrd")["Segment4_Name"] == "right lung"


def test_the_image_is_written_beside(slicer_files, tmp_path):
    store = tmp_path / "a.zarr"
    import_segmentation(slicer_files / SLICER[1], store, name="organs", image=slicer_files / "CTChest4.nrrd")
    ct = sitk.GetArrayFromImage(sitk.ReadImage(str(slicer_files / "CTChest4.nrrd")))
    image = open_image(store)
    # The file lists its voxels from left to right and from behind; the store the other way round.
    assert image.geometry == reordered(image.source_grid.geometry, image.source_grid.order)
    np.testing.assert_array_equal(image.data[...], ct[:, ::-1, ::-1])
    assert image.source_grid.geometry == read_volume(slicer_files / "CTChest4.nrrd").geometry
    assert faults(store) == []


def test_an_image_in_another_order_lies_on_one_grid_with_its_labels(slicer_files, tmp_path):
    ct = sitk.ReadImage(str(slicer_files / "CTChest4.nrrd"))
    sitk.WriteImage(
        sitk.PermuteAxes(sitk.Flip(ct, [True, False, True]), [1, 2, 0]), str(tmp_path / "ct.nrrd")
    )
    labels = import_segmentation(slicer_files / SLICER[0], tmp_path / "a.zarr", image=tmp_path / "ct.nrrd")
    image = open_image(tmp_path / "a.zarr")
    np.testing.assert_array_equal(image.data[...], sitk.GetArrayFromImage(ct)[:, ::-1, ::-1])
    np.testing.assert_allclose(image.geometry.affine, labels.geometry.affine, rtol=0, atol=1e-9)
    assert faults(tmp_path / "a.zarr") == []


def test_an_image_that_points_elsewhere_is_refused(slicer_files, tmp_path):
    ct = sitk.ReadImage(str(slicer_files / "CTChest4.nrrd"))
    turn = np.reshape(ct.GetDirection(), (3, 3)) @ [[1, 0, 0], [0, 0.8, -0.6], [0, 0.6, 0.8]]
    ct.SetDirection(turn.ravel())
    sitk.WriteImage(ct, str(tmp_path / "turned.nrrd"))
    with pytest.raises(UsageError, match="do not lie on the voxels of the image"):
        import_segmentation(slicer_files / SLICER[0], tmp_path / "a.zarr", image=tmp_path / "turned.nrrd")
    assert not (tmp_path / "a.zarr").exists()


def test_losses_are_told_and_refused_when_asked(slicer_files, tmp_path):
    import_segmentation(slicer_files / SLICER[0], tmp_path / "a.zarr")
    with pytest.raises(LossError, match="codes of 7 segments"):
        export_segmentation(tmp_path / "a.zarr", tmp_path / "b.nii.gz", strict=True)
    assert not (tmp_path / "b.nii.gz").exists()
    losses = export_segmentation(tmp_path / "a.zarr", tmp_path / "b.nii.gz")
    assert any("codes of 7 segments" in loss.what for loss in losses)


def test_bad_exports_leave_no_file(slicer_files, tmp_path):
    import_segmentation(slicer_files / SLICER[1], tmp_path / "a.zarr")
    before = digest(tmp_path)
    with pytest.raises(UnknownFormatError):
        export_segmentation(tmp_path / "a.zarr", tmp_path / "b.docx")
    with pytest.raises(UsageError, match="is not there"):
        export_segmentation(tmp_path / "a.zarr", tmp_path / "nowhere" / "b.nii.gz")
    with pytest.raises(LossError, match="overlapping"):
        export_segmentation(tmp_path / "a.zarr", tmp_path / "b.nii.gz")
    with pytest.raises(StoreNotFoundError):
        export_segmentation(tmp_path / "b.zarr", tmp_path / "b.seg.nrrd")
    with pytest.raises(StoreNotFoundError, match="no label image 'x'"):
        export_segmentation(tmp_path / "a.zarr", tmp_path / "b.seg.nrrd", name="x")
    assert digest(tmp_path) == before


def test_bad_imports_leave_no_store(tmp_path):
    (tmp_path / "a.nii.gz").write_bytes(b"\x1f\x8b rubbish")
    (tmp_path / "a.nrrd").write_text("NRRD0004\n")
    for name in ("a.nii.gz", "a.nrrd"):
        with pytest.raises(FormatError):
            import_segmentation(tmp_path / name, tmp_path / "a.zarr")
    assert not (tmp_path / "a.zarr").exists()


def test_a_plan_writes_nothing(slicer_files, tmp_path):
    plan = forecast_import(slicer_files / SLICER[0], tmp_path / "a.zarr", levels=3)
    assert [len(p.levels) for p in plan.plans] == [3]
    assert (plan.finished, plan.done) == (False, 0)
    assert list(tmp_path.iterdir()) == []
