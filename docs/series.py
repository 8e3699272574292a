"""A time series that looks like one of a microscope: an epithelium of two channels, its nuclei as labels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from ngffseg import Segment, write_labels
from ngffseg.geometry import described_grid
from ngffseg.model import Channel, Volume

TIMES, SHAPE, CELLS = 8, (5, 300, 300), 70
SCALE = {"t": 300, "z": 1.5, "y": 0.5, "x": 0.5}
RADIUS = 13.0


def write_series(store: Path) -> None:
    """Write the store: channels of membranes and nuclei, labels of nuclei in time, of tissues once for all times."""
    pairs = list(_planes())
    image = np.stack([pair[0] for pair in pairs])
    nuclei = np.stack([pair[1] for pair in pairs])
    words = {
        "scale": SCALE,
        "units": {"t": "second", "z": "micrometer", "y": "micrometer", "x": "micrometer"},
    }
    channels = (Channel("membranes", (255, 0, 255), (0, 255)), Channel("DNA", (0, 255, 255), (0, 255)))
    grid = described_grid(image.shape, axes="tczyx", **words)
    volume = Volume(image, grid, "epithelium", channels=channels)
    segments = [Segment(n, name=f"nucleus {n}") for n in range(1, CELLS + 1)]
    write_labels(store, nuclei, name="nuclei", axes="tzyx", segments=segments, image=volume, **words)
    z, y, x = np.ogrid[tuple(map(slice, SHAPE))]
    wound = ((y - 260) / 90) ** 2 + ((x - 255) / 100) ** 2 + 0 * z < 1 + 0.12 * np.sin(y / 9) * np.cos(x / 13)
    segments = [Segment(1, name="wound", color=(255, 190, 0, 255))]
    write_labels(store, wound.astype("uint8"), name="wound", segments=segments)


def _planes() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Both channels (c, z, y, x) and the nuclei (z, y, x) at each time."""
    rng = np.random.default_rng(4)
    places = rng.random((CELLS, 2)) * SHAPE[1:]
    for _ in range(60):  # evenly, as cells crowd each other
        places = (places + 0.5 * _push(places)).clip(-10, np.add(SHAPE[1:], 10))
    speeds = rng.normal(0, 1.0, places.shape)
    depth, y, x = SHAPE[0], *np.mgrid[: SHAPE[1], : SHAPE[2]]
    grain = gaussian_filter(rng.random((3, *SHAPE[1:])), (0, 2, 2))
    for time in range(TIMES):
        tree = cKDTree(places + speeds * time + 4 * np.sin(time / 2 + places[:, ::-1] / 40))
        distance, nearest = tree.query(np.stack([y, x], axis=-1), k=2)
        edge = np.exp(-(((distance[..., 1] - distance[..., 0]) / 3.0) ** 2))
        image, labels = np.zeros((2, *SHAPE)), np.zeros(SHAPE, "uint16")
        for z in range(depth):
            reach = RADIUS * np.sqrt(max(0.05, 1 - ((z - depth / 2 + 0.5) / (depth / 2)) ** 2))
            inside = distance[..., 0] < reach * (0.75 + 0.5 * grain[0])
            labels[z][inside] = nearest[..., 0][inside] + 1
            bright = gaussian_filter(inside * (0.55 + 1.5 * (grain[1] - 0.5)), 1.2)
            image[0, z], image[1, z] = (
                gaussian_filter(edge * (0.2 + grain[2]), 0.8) + 0.1 * grain[0],
                bright * 1.5,
            )
        yield (image * 230).clip(0, 255).astype("uint8"), labels


def _push(places: np.ndarray) -> np.ndarray:
    """How cells push away their neighbours."""
    between = places[:, None] - places[None]
    length = np.linalg.norm(between, axis=-1) + 1e-9
    return (between * np.clip(1 - length / 44, 0, None)[..., None] / length[..., None] * 6).sum(axis=1)
