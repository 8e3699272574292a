"""Studies of many files: each structure is there as it was drawn, in as few layers as overlaps need."""

import nibabel
import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from ngffseg import import_segmentation
from ngffseg.convert import study
from ngffseg.errors import UsageError
from ngffseg.labels import open_segmentation, source_order
from tests.examples import examples

AFFINE = np.array([[-0.8, 0.05, 0, 4], [0.05, 0.8, 0, -3], [0, 0, 2.5, 7], [0, 0, 0, 1]])
SHAPE = (6, 5, 4)


def save(folder, masks, affine=AFFINE, suffix=".nii.gz"):
    folder.mkdir(exist_ok=True)
    for name, mask in masks.items():
        nibabel.save(nibabel.Nifti1Image(mask.astype(np.uint8), affine), folder / f"{name}{suffix}")


def brute_layers(masks):
    """Greedy by hand: the first layer in which a structure overlaps nothing."""
    layers = []
    for mask in masks:
        free = next((layer for layer in layers if not (layer & mask).any()), None)
        if free is None:
            layers.append(mask.copy())
        else:
            free |= mask
    return len(layers)


@pytest.mark.filterwarnings("ignore:.* hold no voxels")
@examples(8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), count=st.integers(1, 9), share=st.sampled_from([0.02, 0.2, 0.6]))
def test_every_structure_comes_back(seed, count, share, tmp_path):
    rng = np.random.default_rng(seed)
    folder = tmp_path / f"{seed}-{count}-{share}"
    masks = {f"organ_{n}": rng.random(SHAPE) < share for n in range(count)}
    save(folder, masks)
    read = study.read_study(folder, study.study_files(folder))
    assert len(read.layers) == max(1, brute_layers([m for _, m in sorted(masks.items()) if m.any()]))
    assert [s.name for s in read.segments] == sorted(masks)
    for segment in read.segments:
        found = read.layers[segment.layer] == segment.label_value
        np.testing.assert_array_equal(found.T, masks[segment.name])


@pytest.mark.parametrize("pattern", ["", "*.nii.gz", "organ_[12].nii.gz"])
def test_a_study_is_imported_whole(pattern, tmp_path):
    masks = {
        "organ_1": np.zeros(SHAPE, bool),
        "organ_2": np.zeros(SHAPE, bool),
        "tumour": np.zeros(SHAPE, bool),
    }
    masks["organ_1"][:3], masks["organ_2"][3:], masks["tumour"][2:4] = True, True, True
    save(tmp_path / "case7", masks)
    image = import_segmentation(tmp_path / "case7" / pattern, tmp_path / "a.zarr")
    assert image.name == "case7"
    stored = source_order(open_segmentation(tmp_path / "a.zarr"))
    wanted = ["organ_1", "organ_2"] + ([] if "[" in pattern else ["tumour"])
    assert [s.name for s in stored.segments] == wanted
    assert image.layers == (("case7",) if "[" in pattern else ("case7", "case7__layer1"))
    for segment in stored.segments:
        np.testing.assert_array_equal(
            (stored.layers[segment.layer][:] == segment.label_value).T, masks[segment.name]
        )
    np.testing.assert_array_equal(stored.geometry.affine[:3, 3], [-4, 3, 7])


def test_files_with_several_structures_and_names(slicer_files, tmp_path):
    folder = tmp_path / "study"
    folder.mkdir()
    for name in ("Segmentation.seg.nrrd", "SegmentationOverlapping.seg.nrrd"):
        (folder / name).write_bytes((slicer_files / name).read_bytes())
    read = study.read_study(folder, study.study_files(folder))
    assert len(read.segments) == 7 + 8
    assert len({s.id for s in read.segments}) == 15
    assert read.segments[0].name.startswith("Segmentation ")
    assert read.segments[0].color is not None
    assert len(read.layers) > 2


def test_bad_studies(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"empty: no segmentation file there: one of \.fcsv|one of "):
        import_segmentation(tmp_path / "empty", tmp_path / "a.zarr")
    with pytest.raises(UsageError, match="no segmentation file there"):
        import_segmentation(tmp_path / "empty" / "*.nii", tmp_path / "a.zarr")
    save(tmp_path / "moved", {"a": np.ones(SHAPE)})
    moved = AFFINE.copy()
    moved[0, 3] += 1e-3
    save(tmp_path / "moved", {"b": np.ones(SHAPE)}, moved)
    with pytest.raises(
        UsageError,
        match=r"b\.nii\.gz does not lie on the grid of .*a\.nii\.gz: .* 0\.0012 voxels .*: resample",
    ):
        import_segmentation(tmp_path / "moved", tmp_path / "a.zarr")
    assert not (tmp_path / "a.zarr").exists()


def test_real_organs_one_file_each(shared_data, tmp_path):
    """As TotalSegmentator writes them: one file per organ, of one real map."""
    whole = nibabel.load(shared_data / "nifti" / "totalsegmentator" / "example_seg_dicom.nii.gz")
    labels = np.asarray(whole.dataobj).astype(np.uint8)
    values = np.unique(labels)[1:]
    folder = tmp_path / "segmentations"
    folder.mkdir()
    for value in values:
        nibabel.save(
            nibabel.Nifti1Image((labels == value).astype(np.uint8), whole.affine),
            folder / f"organ_{value:03}.nii.gz",
        )
    image = import_segmentation(folder, tmp_path / "a.zarr")
    assert image.layers == ("segmentations",)
    given = source_order(open_segmentation(tmp_path / "a.zarr"))
    np.testing.assert_array_equal(np.append(0, values)[given.layers[0][...]].T, labels)
