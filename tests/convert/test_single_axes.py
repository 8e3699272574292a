"""Files have more axes than images: those of one voxel that the image lacks are no reason to refuse labels."""

import nibabel
import numpy as np
import pytest

from ngffseg import Segmentation, check, import_segmentation, write_labels
from ngffseg.errors import NgffsegWarning, UsageError
from ngffseg.geometry import described_grid
from ngffseg.labels import open_image, write_segmentation
from ngffseg.labels.arrays.squeezed import without_single_axes
from ngffseg.model import Source

SIZES = {"t": 2, "c": 3, "z": 4, "y": 40, "x": 36}
# NIfTI has x, y, z, time: a plane has one slice, a film has one slice per time point.
CASES = [("cyx", "yx", "zyx"), ("tcyx", "tyx", "tzyx"), ("czyx", "zyx", "tzyx"), ("yx", "yx", "tzyx")]


def values(axes, dtype):
    shape = [SIZES[axis] for axis in axes]
    return (np.arange(np.prod(shape)) * 7 % 11).astype(dtype).reshape(shape)


def nifti(path, held, told, codes=2):
    """Labels of some axes in a file of more."""
    sizes = [SIZES[axis] if axis in held else 1 for axis in told]
    image = nibabel.Nifti1Image(values(held, "u2").reshape(sizes).T, np.diag([0.25, 0.5, 2, 1]))
    image.set_sform(image.affine, codes)
    image.to_filename(path)
    return path


@pytest.mark.parametrize(("image", "held", "told"), CASES)
def test_labels_of_a_file_lose_axes_of_one_voxel(tmp_path, image, held, told):
    """They become labels of the axes that their image has."""
    store = tmp_path / "a.zarr"
    first = image.replace("t", "").replace("c", "")
    write_labels(store, values(first, "u1"), name="first", axes=first, image=values(image, "u2"))
    file = nifti(tmp_path / "b.nii.gz", held, told)
    with pytest.warns(NgffsegWarning, match="index for index"):
        written = import_segmentation(file, store)
    assert written.geometry.axes == tuple(held)
    np.testing.assert_array_equal(written.read(), values(held, "u2"))
    assert not [v for v in check(store) if v.severity == "MUST"]
    np.testing.assert_array_equal(np.asarray(open_image(store).data[...]), values(image, "u2"))


def test_an_image_that_comes_with_them_tells_the_axes(tmp_path):
    scan = nibabel.Nifti1Image(values("zyx", "i2").T, np.diag([0.25, 0.5, 2, 1]))
    scan.to_filename(tmp_path / "scan.nii.gz")
    labels = nifti(tmp_path / "b.nii.gz", "zyx", "tzyx")
    written = import_segmentation(labels, tmp_path / "a.zarr", image=tmp_path / "scan.nii.gz")
    image = open_image(tmp_path / "a.zarr")
    assert written.geometry == image.geometry
    # RAS becomes LPS: x and y are flipped in both.
    np.testing.assert_array_equal(written.read(), values("zyx", "u2")[:, ::-1, ::-1])
    np.testing.assert_array_equal(np.asarray(image.data[...]), written.read())


class Sliced:
    """An array that is read when it is sliced."""

    def __init__(self, data):
        self.data, self.shape, self.dtype = data, data.shape, data.dtype

    def __getitem__(self, index):
        return self.data[index]


def test_labels_that_are_read_piece_by_piece(tmp_path):
    """A study has such layers; numpy is the judge."""
    data = values("tzyx", "u2").reshape(2, 1, 4, 40, 36)
    source = Source("test", "a.test", "0" * 64)
    labels = Segmentation((Sliced(data),), (), described_grid(data.shape, axes="tczyx"), source=source)
    kept = without_single_axes(labels, "tzyx")
    assert kept.geometry.axes == ("t", "z", "y", "x")
    np.testing.assert_array_equal(np.asarray(kept.layers[0]), data[:, 0])
    for index in (np.s_[1, 2:, ::-1, 3], np.s_[..., -1], np.s_[0:1, 1:3, 5:9]):
        np.testing.assert_array_equal(kept.layers[0][index], data[:, 0][index])
    write_labels(tmp_path / "a.zarr", values("tzyx", "u1"), name="first", image=values("tzyx", "u2"))
    written = write_segmentation(tmp_path / "a.zarr", labels, name="b")
    np.testing.assert_array_equal(written.read(), data[:, 0])


def test_several_time_points_are_not_left_out(tmp_path):
    """Nor an axis of an array, which is stored as it was given."""
    store = tmp_path / "a.zarr"
    write_labels(store, values("zyx", "u1"), name="first", image=values("czyx", "u2"))
    with pytest.raises(UsageError, match="the image has no axis t; what fits is zyx with or without c"):
        import_segmentation(nifti(tmp_path / "b.nii.gz", "tzyx", "tzyx"), store)
    with pytest.raises(UsageError, match="do not fit the image"):
        write_labels(store, values("zyx", "u1")[np.newaxis, np.newaxis], name="b")
