"""What neuroglancer is told, by arithmetic: voxels end up where LPS says."""

import numpy as np
from hypothesis import given

from ngffseg.geometry import ngff_origin, scales
from ngffseg.viewer.state import source_transform
from tests.geometry.strategies import PLANES, VOLUMES, geometries


@given(geometries(PLANES))
def test_a_plane_stays_where_scale_and_translation_put_it(geometry):
    """There is no patient to turn it to."""
    assert source_transform(geometry) is None


@given(geometries(VOLUMES))
def test_scale_translation_and_turn_give_lps(geometry):
    """neuroglancer takes scale and translation from the store, then the matrix, between lengths."""
    transform = source_transform(geometry)
    index = np.array([n // 2 for n in geometry.shape], float)
    along = index * scales(geometry) + ngff_origin(geometry)
    if transform is not None:
        matrix = np.array(transform["matrix"])
        assert matrix.shape == (len(geometry.axes), len(geometry.axes) + 1)
        assert list(transform["outputDimensions"]) == list(geometry.axes)
        along = matrix[:, :-1] @ along + matrix[:, -1]
    ijk = [index[geometry.axes.index(axis)] for axis in "xyz"]
    lps = geometry.affine @ [*ijk, 1]
    found = [along[geometry.axes.index(axis)] for axis in "xyz"]
    np.testing.assert_allclose(found, lps[:3], rtol=1e-9, atol=1e-6)
    for place, axis in enumerate(geometry.axes):
        if axis in "tc":
            assert along[place] == index[place] * scales(geometry)[place]
