"""Stores whose every voxel is known, to be looked at."""

from math import cos, radians, sin

import numpy as np

from ngffseg import Geometry, Segment, write_labels
from ngffseg.model import Volume

SHAPE = (40, 60, 80)
RED, GREEN = (255, 0, 0, 255), (0, 255, 0, 255)
SEGMENTS = [Segment(7, name="seven", color=RED), Segment(2**63 + 5, name="nine", color=GREEN)]
# A voxel of each, in a plane of their own.
SEVEN, NINE, NOTHING = (24, 14, 19), (14, 44, 59), (24, 50, 70)


def oblique():
    """An affine of three turns, three spacings and an origin."""
    (c1, s1), (c2, s2) = ((cos(radians(a)), sin(radians(a))) for a in (25, 15))
    turn = np.array([[c1, -s1, 0], [s1, c1, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, c2, -s2], [0, s2, c2]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([1.0, 1.2, 2.5])
    affine[:3, 3] = -50, 20, -300
    return affine


def sagittal():
    """Slices from right to left, rows from head to feet."""
    affine = np.eye(4)
    affine[:3, :3] = [[0, 0, 2.5], [1.0, 0, 0], [0, -1.2, 0]]
    affine[:3, 3] = -50, 20, 300
    return affine


def ras():
    """Columns to the right, rows to anterior, as NIfTI has them."""
    affine = np.diag([-1.0, -1.2, 2.5, 1.0])
    affine[:3, 3] = 30, 90, -300
    return affine


def axial():
    """An ordinary CT."""
    affine = np.diag([1.0, 1.2, 2.5, 1.0])
    affine[:3, 3] = -50, 20, -300
    return affine


# Four orders of voxels: kept, two flips, another permutation, none along the axes of the patient.
ORDERS = {"lps": axial, "ras": ras, "pir": sagittal, "oblique": oblique}


def two_boxes(dtype="uint64"):
    """Labels of two boxes."""
    labels = np.zeros(SHAPE, dtype)
    labels[20:30, 10:20, 10:30] = 7
    labels[10:20, 40:50, 50:70] = 2**63 + 5 if dtype == "uint64" else 9
    return labels


def label_at(labels, affine, lps):
    """The label at a place in the patient; None where it lies within a third of a voxel of another one."""
    index = np.linalg.solve(affine, [*lps, 1])[2::-1]
    found = set()
    for shift in np.array(np.meshgrid(*[(-0.34, 0.34)] * 3)).reshape(3, -1).T:
        place = np.round(index + shift).astype(int)
        inside = (place >= 0).all() and (place < labels.shape).all()
        found.add(int(labels[tuple(place)]) if inside else 0)
    return found.pop() if len(found) == 1 else None


def write(url, affine, frame=None, **options):
    """A store of two boxes over a gray image."""
    image = np.full(SHAPE, -1000, "int16")
    image[2:-2, 2:-2, 2:-2] = np.random.default_rng(1).integers(0, 400, [n - 4 for n in SHAPE])
    geometry = Geometry(SHAPE, affine, frame=frame)
    return write_labels(
        url, two_boxes(), name="boxes", segments=SEGMENTS, geometry=geometry, chunks=16,
        image=Volume(image, geometry, "ct"), **options,
    )  # fmt: skip
