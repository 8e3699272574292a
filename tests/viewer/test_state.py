"""What neuroglancer is told, by arithmetic: voxels end up where LPS says."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ngffseg.geometry import along_axes, ngff_origin, scales
from ngffseg.viewer.transform import output_steps, source_transform
from tests.geometry.strategies import PLANES, VOLUMES, geometries


def named(geometry):
    """Dimensions of neuroglancer: channels are each layer's own."""
    return ["c'" if axis == "c" else axis for axis in geometry.axes]


@given(geometries(PLANES))
def test_a_plane_stays_where_scale_and_translation_put_it(geometry):
    """There is no patient to turn it to; of channels only the name is told."""
    transform = source_transform(geometry)
    assert (transform is not None) == ("c" in geometry.axes)
    if transform is not None:
        rank = len(geometry.axes)
        np.testing.assert_array_equal(transform["matrix"], np.eye(rank, rank + 1))
        assert list(transform["outputDimensions"]) == named(geometry)


@given(geometries(VOLUMES), st.sampled_from(["ours", "ours along the patient", "of 0.1", "of others"]))
def test_scale_translation_and_turn_give_lps(geometry, whose):
    """neuroglancer takes scale and translation from the store, then the matrix, between lengths."""
    if whose == "ours along the patient":
        affine = geometry.affine.copy()
        affine[:3, :3] = np.roll(np.diag(np.linalg.norm(affine[:3, :3], axis=0)), 1, axis=1) * [
            [1],
            [-1],
            [-1],
        ]
        geometry = replace(geometry, affine=affine, frame="patient")
    translation = {
        "of 0.1": along_axes(geometry),
        "of others": tuple(geometry.affine["xyz".index(a), 3] if a in "xyz" else 0 for a in geometry.axes),
    }.get(whose, ngff_origin(geometry))
    transform = source_transform(geometry, translation)
    index = np.array([n // 2 for n in geometry.shape], float)
    along = index * scales(geometry) + translation
    if transform is not None:
        matrix = np.array(transform["matrix"])
        assert matrix.shape == (len(geometry.axes), len(geometry.axes) + 1)
        assert list(transform["outputDimensions"]) == named(geometry)
        steps = [output_steps(geometry).get(axis, 1) for axis in geometry.axes]
        along = matrix[:, :-1] @ along + matrix[:, -1] * steps
    ijk = [index[geometry.axes.index(axis)] for axis in "xyz"]
    lps = geometry.affine @ [*ijk, 1]
    found = [along[geometry.axes.index(axis)] for axis in "xyz"]
    np.testing.assert_allclose(found, lps[:3], rtol=1e-9, atol=1e-6)
    for place, axis in enumerate(geometry.axes):
        if axis in "tc":
            assert along[place] == index[place] * scales(geometry)[place]
