"""Affines drawn by hypothesis: oblique, left-handed, sheared, with zeros of both signs."""

import numpy as np
from hypothesis import strategies as st

from ngffseg.geometry import Geometry

VOLUMES = ("zyx", "tzyx", "czyx", "tczyx")
PLANES = ("yx", "tyx", "cyx")

angles = st.floats(-3.2, 3.2)
lengths = st.floats(0.05, 20)
positions = st.floats(-1e4, 1e4)


@st.composite
def affines(draw, shear=False):
    """Rotation times spacing, optionally mirrored or sheared."""
    a, b, c = draw(angles), draw(angles), draw(angles)
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    tilt = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    roll = np.array([[np.cos(c), 0, np.sin(c)], [0, 1, 0], [-np.sin(c), 0, np.cos(c)]])
    affine = np.eye(4)
    spacing = [draw(lengths) for _ in range(3)]
    affine[:3, :3] = turn @ tilt @ roll @ np.diag(spacing)
    if draw(st.booleans()):
        affine[:3, 2] *= -1
    if shear:
        affine[:3, 1] += affine[:3, 0] * draw(st.floats(-0.5, 0.5))
    affine[:3, 3] = [draw(positions), draw(positions), draw(st.sampled_from([0.0, -0.0, 1 / 3]))]
    return affine


@st.composite
def geometries(draw, kinds=(*VOLUMES, *PLANES)):
    """Grids of 2 to 5 axes, anywhere."""
    axes = draw(st.sampled_from(kinds))
    shape = tuple(draw(st.integers(1, 9)) for _ in axes)
    return Geometry(shape, draw(affines(shear=draw(st.booleans()))), tuple(axes), time_step=draw(lengths))
