"""Axes of files by name: time and channels are never taken for space, and one voxel along an axis is no reason to refuse."""

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from ngffseg.errors import FormatError
from ngffseg.formats import read_segmentation, write_segmentation
from ngffseg.geometry import described_grid
from ngffseg.model import Segmentation

SIZES = {"t": 2, "c": 3, "z": 4, "y": 6, "x": 5}
SCALE = {"t": 2.5, "z": 2.0, "y": 0.5, "x": 0.25}
UNITS = {"t": "second", "z": "micrometer", "y": "micrometer", "x": "micrometer"}


def labels(axes):
    """Labels in micrometres; a capital is an axis of one voxel."""
    shape = [1 if axis.isupper() else SIZES[axis] for axis in axes]
    names = axes.lower()
    scale, units = ({a: told[a] for a in names if a != "c"} for told in (SCALE, UNITS))
    grid = described_grid(shape, axes=names, scale=scale, units=units)
    return Segmentation((np.arange(np.prod(shape), dtype="u2").reshape(shape),), (), grid)


@pytest.mark.parametrize(
    ("axes", "shape", "steps"),
    [
        ("tyx", (5, 6, 1, 2), (0.25, 0.5, 1.0, 2.5)),
        ("tzyx", (5, 6, 4, 2), (0.25, 0.5, 2.0, 2.5)),
        ("cyx", (5, 6, 1, 1, 3), (0.25, 0.5, 1.0, 1.0, 1.0)),
        ("czyx", (5, 6, 4, 1, 3), (0.25, 0.5, 2.0, 1.0, 1.0)),
        ("tcyx", (5, 6, 1, 2, 3), (0.25, 0.5, 1.0, 2.5, 1.0)),
        ("zx", (5, 1, 4), (0.25, 1.0, 2.0)),
        ("yx", (5, 6), (0.25, 0.5)),
    ],
)
def test_nifti_has_time_in_its_fourth_axis(tmp_path, axes, shape, steps):
    given, file = labels(axes), tmp_path / "a.nii.gz"
    write_segmentation(given, file)
    seen = nibabel.load(file)
    assert seen.shape == shape
    assert seen.header.get_zooms() == pytest.approx(steps)
    voxels = np.asarray(seen.dataobj)
    # In the file x is fastest; time before channels.
    order = [axis for axis in ("x", "y", "z", "t", "c") if axis in axes]
    np.testing.assert_array_equal(
        voxels.reshape([SIZES[axis] for axis in order]),
        given.layers[0].transpose([axes.index(axis) for axis in order]),
    )
    if len(shape) < 5:
        assert sitk.ReadImage(str(file)).GetSize() == shape
    back = read_segmentation(file)
    assert back.geometry.time_step == (2.5 if "t" in axes else 1.0)
    np.testing.assert_array_equal(back.layers[0].reshape(given.layers[0].shape), given.layers[0])


@pytest.mark.parametrize("suffix", [".nrrd", ".seg.nrrd"])
@pytest.mark.parametrize(
    ("axes", "told"),
    [
        ("tyx", "time, of which the labels have 2"),
        ("cyx", "channels, of which the labels have 3"),
        ("tzyx", "time"),
    ],
)
def test_nrrd_refuses_time_and_channels(tmp_path, suffix, axes, told):
    """A frame of a film is no slice."""
    with pytest.raises(FormatError, match=told) as caught:
        write_segmentation(labels(axes), tmp_path / f"a{suffix}")
    assert "use .nii.gz" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("axes", "suffix"), [("TCzyx", ".nrrd"), ("TCzyx", ".seg.nrrd"), ("Tyx", ".nrrd"), ("zx", ".nrrd")]
)
def test_nrrd_leaves_out_axes_of_one_voxel(tmp_path, axes, suffix):
    given, file = labels(axes), tmp_path / f"a{suffix}"
    losses = write_segmentation(given, file)
    left = [axis.lower() for axis in axes if axis.isupper()]
    assert [loss.what.split()[2] for loss in losses if "has space axes alone" in loss.what] == left
    seen = sitk.ReadImage(str(file))
    sizes = {axis: SIZES[axis] for axis in axes if axis.islower()}
    names = ("x", "y", "z") if "z" in axes else ("x", "y")
    assert seen.GetSize() == tuple(sizes.get(axis, 1) for axis in names)
    steps = dict(zip(names, seen.GetSpacing(), strict=True))
    assert [steps[axis] for axis in sizes] == pytest.approx([SCALE[axis] / 1000 for axis in sizes])
    np.testing.assert_array_equal(sitk.GetArrayFromImage(seen).ravel(), given.layers[0].ravel())
