"""The conformance suite, run on every format."""

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK as sitk

from tests.formats.conformance import FormatConformance


class TestSegNrrd(FormatConformance):
    suffix = ".seg.nrrd"

    def voxels_elsewhere(self, path):
        return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


class TestNrrd(FormatConformance):
    suffix = ".nrrd"
    keeps_names = False

    def voxels_elsewhere(self, path):
        return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


class TestNiftiGz(FormatConformance):
    suffix = ".nii.gz"
    exact_geometry = False

    def voxels_elsewhere(self, path):
        return np.asanyarray(nib.load(path).dataobj).T


class TestNifti(TestNiftiGz):
    suffix = ".nii"

    def test_gzip_hidden_behind_the_plain_suffix_is_read(self, path, tmp_path):
        from ngffseg.formats import read_segmentation, write_segmentation

        labels = np.ones((2, 3, 4), np.uint8)
        write_segmentation(self.make(labels), path)
        packed = Path(tmp_path / "packed.nii")
        packed.write_bytes(gzip.compress(path.read_bytes()))
        np.testing.assert_array_equal(read_segmentation(packed).layers[0], labels)
