"""Voxels of layers lie at their place in the patient, in whichever order they are stored, at levels 0 and 1."""

import numpy as np
import pytest

from ngffseg import import_segmentation
from ngffseg.geometry import patient_rows
from ngffseg.napari_plugin.reader import read
from tests.convert.test_orders import ORDERS, TURN, case, places, save


@pytest.mark.parametrize("every", [7, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("order", ["canonical", "keep"])
def test_all_orders_lie_in_napari_where_they_should(order, every, tmp_path):
    """Its world has the axes of the array: each leads along the axis of the patient that lies closest."""
    # Of each permutation there are 8 flips: each seventh order has all permutations, and nearly all flips.
    for number, (axes, flips) in enumerate(ORDERS[::every]):
        save(case(axes, flips, TURN["straight"]), tmp_path / f"{number}.nrrd")
        store = tmp_path / f"{number}.zarr"
        image = import_segmentation(tmp_path / f"{number}.nrrd", store, name="a", levels=2, order=order)
        ((data, keywords, kind),) = read(str(store))
        assert kind == "labels"
        rows = list(patient_rows(image.geometry))
        assert order == "keep" or rows == [2, 1, 0]
        for level in (0, 1):
            labels = np.asarray(data[level])
            # napari places levels by the ratio of their shapes, around the centre of the first voxel of each.
            factor = np.divide(data[0].shape, labels.shape)
            for value, place in places(TURN["straight"]).items():
                index = (np.mean(np.nonzero(labels == value), axis=1) + 0.5) * factor - 0.5
                world = (keywords["affine"] @ [*index, 1])[:3]
                np.testing.assert_allclose(world, place[rows], rtol=0, atol=1e-9)
