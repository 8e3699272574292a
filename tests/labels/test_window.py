"""How bright an image is shown: values of level 0 within the field of view, of a bounded part of it."""

import numpy as np
import pytest

from ngffseg import Geometry, write_labels
from ngffseg.convert import import_demo
from ngffseg.labels import display_window, open_contents
from ngffseg.model import Volume
from ngffseg.store import metered


def stored(folder, values, axes=(), **options):
    """The image of a store."""
    geometry = Geometry(values.shape, np.eye(4), axes)
    labels = np.zeros(values.shape, "uint8")
    write_labels(
        folder / "a.zarr", labels, name="a", geometry=geometry, image=Volume(values, geometry), **options
    )
    return open_contents(folder / "a.zarr").image


def scan(shape, seed=1):
    """Air, fat and tissue in a round field of view, -3024 around it."""
    _, y, x = np.ogrid[tuple(slice(-1, 1, n * 1j) for n in shape)]
    tissue = np.random.default_rng(seed).choice([-1000, -100, 50, 300], shape).astype("int16")
    return np.where(x**2 + y**2 < 1, tissue, -3024).astype("int16")


def test_a_real_scan(tmp_path):
    """The chest CT of the demo, whose padding was averaged into the coarser level: -2391 to 279."""
    import_demo(tmp_path / "a.zarr")
    assert display_window(open_contents(tmp_path / "a.zarr").image) == (-1011, 332)


def test_padding_is_left_out(tmp_path):
    """Of all of level 0."""
    image = stored(tmp_path, scan((8, 128, 128)), chunks=64)
    assert len(image._arrays) > 1
    assert display_window(image) == (-1000, 300)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_of_a_large_image_few_chunks_are_read(tmp_path, version):
    """Eight at most and one of the coarsest level, whatever its size, each with what finds it; and they tell the same."""
    stored(tmp_path, scan((160, 256, 256)), ngff=version)
    with metered() as meter:
        image = open_contents(tmp_path / "a.zarr").image
        before = meter.total
        assert display_window(image) == (-1000, 300)
    assert 0 < meter.total - before <= 18, meter.requests


def test_chunks_that_are_too_large_are_not_read(tmp_path, monkeypatch):
    """Then the coarsest level tells."""
    from ngffseg.labels.read import window

    monkeypatch.setattr(window, "MOST_BYTES", 1000)
    monkeypatch.setattr(window, "MOST_VALUES", 1000)
    values = np.random.default_rng(1).integers(0, 200, (96, 96, 96)).astype("uint8")
    image = stored(tmp_path, values, chunks=16)
    low, high = display_window(image)
    assert len(image._arrays) > 1
    assert 40 < low < high < 150


def test_a_damaged_chunk_stops_no_viewer(tmp_path):
    """It is told when it is looked at; until then the coarsest level tells."""
    image = stored(tmp_path, scan((64, 128, 128)), chunks=32)
    (tmp_path / "a.zarr" / "s0" / "c" / "0" / "0" / "0").write_bytes(b"nonsense")
    low, high = display_window(image)
    assert -3024 < low < high <= 300


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 1], (0, 1)),  # a mask
        ([7], (7, 8)),
        ([0, 5, 5, 5], (0, 5)),
        ([np.nan, np.inf, 0.25, 0.75], (0.25, 0.75)),
        ([np.nan], (0, 1)),
    ],
)
def test_few_values(tmp_path, values, expected):
    """Black and white differ, and are numbers."""
    data = np.resize(np.array(values, "float32"), (4, 32, 32))
    low, high = display_window(stored(tmp_path, data))
    assert (low, high) == pytest.approx(expected, abs=0.02)


def test_more_axes(tmp_path):
    """Time and channels are axes as others."""
    values = np.random.default_rng(1).integers(10, 20, (3, 2, 4, 32, 32)).astype("uint16")
    assert display_window(stored(tmp_path, values, ("t", "c", "z", "y", "x"))) == (10, 19)
