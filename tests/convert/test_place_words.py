"""Words that overrule the grid of a file: axes, scale, translation, units."""

import nibabel
import nrrd
import numpy as np
import pytest

from ngffseg.cli.main import run
from ngffseg.convert import import_segmentation, is_imported
from ngffseg.errors import UsageError
from ngffseg.geometry import described_grid, on_axes
from ngffseg.labels import open_image, open_labels, write_labels
from ngffseg.model import Volume

LABELS = (np.arange(5 * 12 * 16) % 4).astype("uint8").reshape(5, 12, 16)


@pytest.fixture
def stack(tmp_path):
    """Labels of five time points, as programs for microscopes leave them: a NRRD that knows no time."""
    file = tmp_path / "cells.nrrd"
    nrrd.write(str(file), LABELS.T, {"spacings": [0.5, 0.5, 3.0]})
    return file


def test_a_stack_is_a_time_series(stack, tmp_path):
    written = import_segmentation(
        stack, tmp_path / "a.zarr", axes="tyx", scale=(60, 0.65, 0.65), units=("s", "um", "um")
    )
    expected = described_grid(
        (5, 12, 16), axes="tyx", scale=(60, 0.65, 0.65), units=("second", "micrometer", "micrometer")
    )
    assert written.geometry == expected
    np.testing.assert_array_equal(written.read(), LABELS)


def test_what_words_leave_out_is_that_of_the_file(stack, tmp_path):
    grid = import_segmentation(stack, tmp_path / "a.zarr", axes="tyx").geometry
    assert grid.time_step == 3.0
    assert [grid.affine[0, 0], grid.affine[1, 1]] == [0.5, 0.5]
    grid = import_segmentation(stack, tmp_path / "b.zarr", units="um").geometry
    assert grid.units == ("micrometer",) * 3
    assert np.diag(grid.affine).tolist() == [0.5, 0.5, 3.0, 1.0]


@pytest.mark.parametrize("words", [{}, {"scale": (60, 2, 0.5, 0.5), "units": "um"}])
def test_its_image_may_have_channels(tmp_path, words):
    """NIfTI files of four and five axes: x, y, z, time, channels."""
    labels = np.stack([LABELS, LABELS[::-1]])
    image = np.arange(2 * 3 * 5 * 12 * 16, dtype="uint16").reshape(2, 3, 5, 12, 16)
    affine = np.diag([-0.5, -0.5, 2, 1])  # LPS, so that nothing moves
    nibabel.save(nibabel.Nifti1Image(labels.T, affine), tmp_path / "cells.nii.gz")
    nibabel.save(nibabel.Nifti1Image(np.moveaxis(image, 1, 0).T, affine), tmp_path / "image.nii.gz")
    written = import_segmentation(
        tmp_path / "cells.nii.gz", tmp_path / "a.zarr", image=tmp_path / "image.nii.gz", **words
    )
    there = open_image(tmp_path / "a.zarr")
    assert there.geometry.axes == ("t", "c", "z", "y", "x")
    assert on_axes(there.geometry, "tzyx") == written.geometry
    assert written.geometry.frame == (None if words else "patient")
    np.testing.assert_array_equal(written.read(), labels)
    np.testing.assert_array_equal(np.asarray(there.data[...]), image)


def test_labels_join_an_image_with_channels(stack, tmp_path):
    """A file beside a store of others: by its shape alone it would be z, y, x."""
    store, image = tmp_path / "a.zarr", np.zeros((5, 3, 12, 16), "uint8")
    grid = described_grid(image.shape, axes="tcyx", scale={"t": 60, "y": 0.65, "x": 0.65}, units="um")
    write_labels(store, LABELS, name="first", image=Volume(image, grid))
    with pytest.raises(UsageError, match="no axis z"):
        import_segmentation(stack, store)
    with pytest.warns(match="index for index"):
        written = import_segmentation(stack, store, axes="tyx")
    assert written.geometry == open_labels(store, "first").geometry


def test_other_words_are_another_import(stack, tmp_path):
    words = {"axes": "tyx", "scale": [60, 0.65, 0.65]}
    import_segmentation(stack, tmp_path / "a.zarr", **words)
    assert is_imported(stack, tmp_path / "a.zarr", **words)
    assert not is_imported(stack, tmp_path / "a.zarr")
    assert not is_imported(stack, tmp_path / "a.zarr", axes="tyx", scale=[60, 0.65, 0.7])


def test_the_shell_and_a_table_know_the_words(stack, tmp_path):
    words = ["--axes", "tyx", "--scale", "60,0.65,0.65", "--units", "s,um,um", "--translation", "0,-1,2"]
    assert run(["import", str(stack), str(tmp_path / "a.zarr"), *words]) == 0
    (tmp_path / "t.csv").write_text(
        'source,store,axes,scale,units,translation\ncells.nrrd,b.zarr,tyx,"60,0.65,0.65","s,um,um","0,-1,2"\n'
    )
    assert run(["batch", str(tmp_path / "t.csv")]) == 0
    grids = [open_labels(tmp_path / f"{store}.zarr").geometry for store in "ab"]
    assert grids[0] == grids[1]
    assert grids[0].axes == ("t", "y", "x")
    assert grids[0].affine[:2, 3].tolist() == [2.0, -1.0]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--scale", "1,x,1"], "scale '1,x,1': give a number per axis"),
        (["--scale", "1,2"], "a number per axis"),
        (["--axes", "xyz"], "in that order"),
        (["--axes", "tzyx"], "the shape"),
        (["--units", "s,um"], "one per axis"),
        (["--units", "ells"], "unit 'ells'"),
        (["--translation", "1,0,0", "--axes", "tyx"], "only space axes"),
    ],
)
def test_words_that_mean_nothing_write_nothing(stack, tmp_path, capsys, words, told):
    assert run(["import", str(stack), str(tmp_path / "a.zarr"), *words]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not (tmp_path / "a.zarr").exists()


def test_turned_axes_are_not_told_by_words(tmp_path):
    nibabel.save(nibabel.Nifti1Image(LABELS.T, np.diag([0.5, 0.5, 2, 1])), tmp_path / "a.nii.gz")
    grid = import_segmentation(tmp_path / "a.nii.gz", tmp_path / "a.zarr", axes="tyx").geometry
    assert (grid.time_step, grid.frame, np.diag(grid.affine).tolist()) == (2.0, None, [0.5, 0.5, 1, 1])
    turned = np.array([[0.8, -0.6, 0, 0], [0.6, 0.8, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    nibabel.save(nibabel.Nifti1Image(LABELS.T, turned), tmp_path / "b.nii.gz")
    with pytest.raises(UsageError, match="its axes are turned"):
        import_segmentation(tmp_path / "b.nii.gz", tmp_path / "b.zarr", scale=(1, 1, 1))
