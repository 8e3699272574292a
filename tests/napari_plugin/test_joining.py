"""Layers that are drawn over a scan and saved beside it lie where they were drawn."""

import warnings

import numpy as np
import pytest

from ngffseg import Geometry, open_labels, write_labels
from ngffseg.model import Volume
from ngffseg.napari_plugin.saving import save_layers

SHAPE = (8, 10, 12)


@pytest.fixture(autouse=True, scope="module")
def napari():
    """What napari imports warns of what it uses itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import napari.utils.transforms
    return napari


def places(labels, matrix):
    """Where the voxels of labels lie in the world of napari, z, y, x."""
    index = np.argwhere(labels)
    found = index @ matrix[:3, :3].T + matrix[:3, 3]
    return sorted(map(tuple, found.round(6).tolist()))


@pytest.mark.parametrize("shape", [SHAPE, (3, 4, 5)])
def test_a_new_layer_over_a_scan_in_another_order(tmp_path, shape):
    """The axes of a new layer grow with the world, those of the scan do not."""
    affine = np.diag([-0.5, -0.5, 2.0, 1.0])
    affine[:3, 3] = 40, 30, -100
    scan = Geometry(SHAPE, affine, frame="patient")
    url = str(tmp_path / "a.zarr")
    write_labels(url, np.zeros(SHAPE, "u1"), name="first", image=Volume(np.ones(SHAPE, "u1"), scan))
    start = np.array([-100 + 2.0, 30 - 9 * 0.5, 40 - 11 * 0.5])  # a voxel up, at the right and in front
    labels = (np.random.default_rng(0).random(shape) < 0.3).astype("u1")
    labels[-1] = 0
    attributes = {"name": "new", "scale": (2.0, 0.5, 0.5), "translate": tuple(start)}
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = np.diag([2.0, 0.5, 0.5]), start
    with pytest.warns(UserWarning, match="the rest is background"):
        save_layers(url, [(labels, attributes, "labels")])
    written = open_labels(url, "new")
    assert written.geometry == scan
    ours = np.eye(4)
    ours[:3, :3], ours[:3, 3] = np.diag(affine.diagonal()[2::-1]), affine[2::-1, 3]
    assert places(written.read(), ours) == places(labels, matrix)
