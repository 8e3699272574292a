"""What every format of labelmaps must keep; each one subclasses `FormatConformance`.

Files are read back with other libraries where the subclass knows one: code under test may not
judge itself.
"""

from abc import abstractmethod
from pathlib import Path

import numpy as np
import pytest

from ngffseg.errors import FormatError, LabelValueError, NgffsegError, StoreError, UsageError
from ngffseg.formats import read_segmentation, write_segmentation
from ngffseg.geometry import Geometry
from ngffseg.model import Segment, Segmentation

DTYPES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")


def oblique(left_handed=False):
    """A rotated grid with three spacings; every number needs all bits of a float64."""
    a, b = 0.3, -0.7
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    tilt = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ tilt @ np.diag([0.7, 0.9, -2.5 if left_handed else 2.5])
    affine[:3, 3] = [-123.456789, 1 / 3, 77.7]
    return affine


def labelled(dtype, values, shape=(4, 5, 6)):
    return np.random.default_rng(1).choice(np.array(values, dtype=dtype), size=shape)


class FormatConformance:
    """One suite for all formats."""

    suffix: str
    keeps_names = True
    exact_geometry = True

    @abstractmethod
    def voxels_elsewhere(self, path: Path) -> np.ndarray:
        """Voxels of a file (z, y, x), read by another library."""

    @pytest.fixture
    def path(self, tmp_path):
        return tmp_path / f"case.01{self.suffix}"

    def make(self, labels, segments=(), affine=None):
        affine = np.diag([1.5, 2.0, 3.0, 1.0]) if affine is None else affine
        return Segmentation((labels,), tuple(segments), Geometry(labels.shape, affine, frame="patient"))

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_every_dtype_comes_back_exactly(self, path, dtype):
        labels = labelled(dtype, [0, 1, 7, np.iinfo(dtype).max])
        assert write_segmentation(self.make(labels), path) == ()
        back = read_segmentation(path).layers[0]
        assert back.dtype == labels.dtype
        np.testing.assert_array_equal(back, labels)
        np.testing.assert_array_equal(self.voxels_elsewhere(path), labels)

    @pytest.mark.parametrize("value", [2**53 + 1, 2**63 + 5, 2**64 - 1])
    def test_large_labels_never_pass_through_float(self, path, value):
        labels = labelled("uint64", [0, value, value - 1])
        write_segmentation(self.make(labels), path)
        assert np.unique(read_segmentation(path).layers[0]).tolist() == [0, value - 1, value]
        assert np.unique(self.voxels_elsewhere(path)).tolist() == [0, value - 1, value]

    @pytest.mark.parametrize("left_handed", [False, True])
    def test_oblique_geometry(self, path, left_handed):
        labels = labelled("uint8", [0, 1])
        made = self.make(labels, affine=oblique(left_handed))
        losses = write_segmentation(made, path)
        back = read_segmentation(path).geometry
        if self.exact_geometry:
            assert back.affine.tobytes() == made.geometry.affine.tobytes()
            assert losses == ()
        else:
            np.testing.assert_allclose(back.affine, made.geometry.affine, rtol=0, atol=2e-5)
            assert "float32" in losses[0].what

    def test_names_and_colors(self, path):
        labels = labelled("uint16", [0, 3, 900])
        segments = (
            Segment(3, name="Müller 肝 <&>", color=(1, 128, 254)),
            Segment(900, name="spleen", color=(9, 9, 9)),
        )
        losses = write_segmentation(self.make(labels, segments), path)
        back = read_segmentation(path).segments
        if self.keeps_names:
            assert [(s.label_value, s.name, s.color) for s in back] == [
                (s.label_value, s.name, s.color) for s in segments
            ]
        else:
            assert any("names" in loss.what for loss in losses)

    def test_lazy_layers_are_written(self, path):
        import zarr

        labels = labelled("uint8", [0, 1, 2])
        made = Segmentation((zarr.array(labels),), (), Geometry(labels.shape, np.eye(4)))
        write_segmentation(made, path)
        np.testing.assert_array_equal(read_segmentation(path).layers[0], labels)

    def test_source_says_where_it_came_from(self, path):
        import hashlib

        write_segmentation(self.make(labelled("uint8", [0, 1])), path)
        source = read_segmentation(path).source
        assert source.format == self.suffix.removeprefix(".")
        assert source.file == path.name
        assert source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()

    def test_a_failed_write_leaves_the_old_file(self, path):
        write_segmentation(self.make(labelled("uint8", [0, 1])), path)
        before = path.read_bytes()

        class Broken:
            shape, dtype = (4, 5, 6), np.dtype(np.uint8)

            def __getitem__(self, box):
                raise OSError(28, "No space left on device")

        broken = Segmentation((Broken(),), (), Geometry((4, 5, 6), np.eye(4)))
        with pytest.raises(OSError, match="No space"):
            write_segmentation(broken, path)
        assert path.read_bytes() == before
        assert list(path.parent.iterdir()) == [path]

    @pytest.mark.parametrize("keep", [0, 10, 100, 350, -1, -20])
    def test_a_truncated_file_is_refused_in_one_line(self, path, keep):
        write_segmentation(self.make(labelled("uint32", range(200), (20, 20, 20))), path)
        path.write_bytes(path.read_bytes()[:keep])
        with pytest.raises(FormatError) as caught:
            read_segmentation(path)
        assert "\n" not in str(caught.value)

    def test_garbage_is_refused_in_one_line(self, path):
        path.write_bytes(np.random.default_rng(0).bytes(5000))
        with pytest.raises(FormatError) as caught:
            read_segmentation(path)
        assert "\n" not in str(caught.value)

    def test_negative_labels_are_refused(self, path):
        labels = labelled("int16", [0, 1])
        labels[0, 0, 0] = -3
        write_segmentation(self.make(labels), path)
        with pytest.raises(LabelValueError, match="-3"):
            read_segmentation(path)

    def test_a_file_that_may_not_be_read(self, path, monkeypatch):
        write_segmentation(self.make(labelled("uint8", [0, 1])), path)

        def refused(_self):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "read_bytes", refused)
        with pytest.raises(FormatError, match=r"cannot be read \(Permission denied\)"):
            read_segmentation(path)

    def test_a_folder_that_may_not_be_written(self, path, monkeypatch):
        def refused(*_arguments, **_options):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("tempfile.mkdtemp", refused)
        with pytest.raises(StoreError, match=r"was not written \(Permission denied\)"):
            write_segmentation(self.make(labelled("uint8", [0, 1])), path)

    def test_a_missing_file_is_the_callers_fault(self, path):
        with pytest.raises(UsageError, match="no such file"):
            read_segmentation(path)

    def test_errors_are_those_of_the_tree(self, path):
        path.mkdir()
        with pytest.raises(NgffsegError, match="folder"):
            read_segmentation(path)
