"""Arrays of xarray, tensorstore, h5py and others make the store that their voxels in memory make."""

from functools import cache

import dask.array as da
import h5py
import numpy as np
import pytest
import tensorstore
import zarr

from ngffseg import Segmentation, open_labels, segment_index, write_labels
from ngffseg.errors import LabelValueError, UsageError
from ngffseg.geometry import described_grid, scales
from ngffseg.labels import open_image, write_segmentation
from ngffseg.model import Volume
from tests.peers.environments import imported

LABELS = np.random.default_rng(0).integers(0, 300, (8, 9, 7)).astype(np.uint16).repeat(3, 0)
FORM = {"name": "a", "chunks": 8, "levels": 2}
STEPS = {"z": (2.0, 10.0), "y": (0.65, 0.0), "x": (0.65, -3.0)}
UNITS = {"z": "µm", "y": "micrometer", "x": "um"}


@cache
def xr():
    """The library xarray."""
    return imported("xarray")


def coordinates(dtype=np.float64, units=UNITS, dims="zyx"):
    made = {}
    for dim, n in zip("zyx", LABELS.shape, strict=True):
        step, start = STEPS[dim]
        attrs = {"units": units[dim]} if units else {}
        made[dim] = xr().DataArray((start + step * np.arange(n)).astype(dtype), dims=dim, attrs=attrs)
    return {dim: made[dim] for dim in dims}


GRID = described_grid(
    LABELS.shape,
    scale={axis: step for axis, (step, _) in STEPS.items()},
    translation={axis: start for axis, (_, start) in STEPS.items()},
    units=UNITS,
)


def check_same(folder, image, labels=LABELS, grid=GRID):
    """Compare with a write of the plain array on a grid that is told."""
    twin = write_labels(folder / "twin", labels, geometry=grid, **FORM)
    assert image.geometry == twin.geometry
    for array, other in zip(image._arrays, twin._arrays, strict=True):
        assert array.dtype == other.dtype
        np.testing.assert_array_equal(array[:], other[:])
    assert list(segment_index(image)) == list(segment_index(twin))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_coordinates_of_xarray_are_the_grid(dtype, tmp_path):
    labels = xr().DataArray(LABELS, dims=("z", "y", "x"), coords=coordinates(dtype))
    check_same(tmp_path, write_labels(tmp_path / "a", labels, **FORM))
    assert scales(open_labels(tmp_path / "a").geometry) == (2.0, 0.65, 0.65)


@pytest.mark.parametrize("dims", ["xyz", "yzx", "ZYX", "XZY"])
@pytest.mark.parametrize("lazy", [False, True])
def test_dims_in_any_order_and_as_capitals(dims, lazy, tmp_path):
    order = ["zyx".index(dim) for dim in dims.lower()]
    named = coordinates()
    coords = {dim: (dim, named[dim.lower()].values, named[dim.lower()].attrs) for dim in dims}
    data = LABELS.transpose(order)
    labels = xr().DataArray(da.from_array(data, chunks=4) if lazy else data, dims=tuple(dims), coords=coords)
    check_same(tmp_path, write_labels(tmp_path / "a", labels, **FORM))


def test_a_transposed_array_is_a_view(tmp_path):
    labels = xr().DataArray(LABELS.T, dims=("x", "y", "z"))
    segmentation = Segmentation((labels,), (), described_grid(LABELS.shape))
    assert np.shares_memory(segmentation.layers[0], LABELS)
    write_segmentation(tmp_path / "a", segmentation, **FORM)
    np.testing.assert_array_equal(open_labels(tmp_path / "a").read(), LABELS)


def test_time_and_channels_of_xarray(tmp_path):
    times = np.datetime64("2024-05-01T10:00:00", "ns") + np.arange(3) * np.timedelta64(90, "s")
    coords = coordinates(dims="yx") | {"t": times, "c": ["nuclei", "cells"]}
    labels = xr().DataArray(np.stack([LABELS[:3], LABELS[3:6]]), dims=("c", "t", "y", "x"), coords=coords)
    image = write_labels(tmp_path / "a", labels, **FORM)
    assert image.geometry.axes == ("t", "c", "y", "x")
    assert image.geometry.time_step == 90.0
    assert image.geometry.units == ("second", None, "micrometer", "micrometer")
    np.testing.assert_array_equal(image.read(), labels.transpose("t", "c", "y", "x").values)
    numbers = labels.assign_coords(t=("t", [4.0, 4.5, 5.0], {"units": "min"}))
    assert write_labels(tmp_path / "b", numbers, **FORM).geometry.time_step == 0.5


def test_arrays_of_xarray_that_are_not_loaded_stay_so(tmp_path):
    stored = zarr.create_group(tmp_path / "source", zarr_format=3)
    array = stored.create_array(
        "labels", shape=LABELS.shape, dtype="u2", chunks=(8, 9, 7), dimension_names=list("zyx")
    )
    array[:] = LABELS
    labels = xr().open_zarr(tmp_path / "source", chunks=None, consolidated=False, mask_and_scale=False)[
        "labels"
    ]
    assert not labels.variable._in_memory
    image = write_labels(tmp_path / "a", labels.transpose("x", "z", "y"), **FORM)
    assert not labels.variable._in_memory
    np.testing.assert_array_equal(image.read(), LABELS)
    reads = []
    counted = da.from_array(LABELS, chunks=(8, 9, 7)).map_blocks(
        lambda b: (reads.append(1), b)[1], dtype="u2"
    )
    reads.clear()
    lazy = xr().DataArray(counted, dims=("z", "y", "x"), coords=coordinates())
    segmentation = Segmentation((lazy,), (), GRID)
    assert not reads
    write_segmentation(tmp_path / "b", segmentation, **FORM)
    assert len(reads) == 3
    np.testing.assert_array_equal(open_labels(tmp_path / "b").read(), LABELS)


def test_an_image_of_xarray_decides_the_grid_of_both(tmp_path):
    intensities = xr().DataArray(
        da.from_array(LABELS.astype(np.float32).T, chunks=8), dims=("x", "y", "z"), coords=coordinates()
    )
    image = write_labels(tmp_path / "a", LABELS, image=intensities, **FORM)
    check_same(tmp_path, image)
    assert open_image(tmp_path / "a").geometry == GRID
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "a" / "s0", mode="r")[:], LABELS)


def bad(**changes):
    made = xr().DataArray(LABELS, dims=("z", "y", "x"), coords=coordinates())
    return made.assign_coords({dim: (dim, values) for dim, values in changes.items()})


REFUSED = {
    "a dim that is no axis": (lambda: bad().rename(x="longitude"), "dims of the array are 'z', 'y', 'longitude': rename"),
    "the same axis twice": (lambda: bad().rename(x="Z"), "dims of the array are 'z', 'y', 'Z': rename them"),
    "not equidistant": (lambda: bad(y=np.arange(9.0) ** 2), r"of the axis 'y' are not equidistant \(16 at index 4, not 32\)"),
    "descending": (lambda: bad(x=np.arange(7.0)[::-1]), "coordinates of the axis 'x' do not ascend: flip it first"),
    "all equal": (lambda: bad(x=np.ones(7)), "coordinates of the axis 'x' do not ascend"),
    "not finite": (lambda: bad(x=np.array([0, 1, np.nan, 3, 4, 5, 6])), "coordinates of the axis 'x' are not finite"),
    "a unit that is none": (lambda: bad().assign_coords(z=("z", np.arange(24.0), {"units": "slices"})), "unit 'slices' of the axis 'z' is not known"),
    "floats": (lambda: bad().astype(float), "labels are float64, not integers"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_grid_of_labels(case, tmp_path):
    make, message = REFUSED[case]
    with pytest.raises((UsageError, LabelValueError), match=message):
        write_labels(tmp_path / "a", make(), **FORM)
    assert not (tmp_path / "a").exists()


CONTRADICTED = {
    "steps": (described_grid(LABELS.shape, scale=(2, 0.65, 0.7)), "contradict each other along 'x'"),
    "places": (described_grid(LABELS.shape, scale=(2, 0.65, 0.65)), r"along 'z' \(starts at 0 and 10\)"),
    "units": (
        described_grid(LABELS.shape, scale=(2, 0.65, 0.65), translation=(10, 0, -3), units="nm"),
        r"along 'z' \(nanometer and micrometer\)",
    ),
    "axes": (
        described_grid(LABELS.shape, axes="tyx"),
        "the array has the axes z, y, x, its geometry t, y, x",
    ),
}


@pytest.mark.parametrize("case", CONTRADICTED)
def test_a_geometry_that_contradicts_the_coordinates(case, tmp_path):
    geometry, message = CONTRADICTED[case]
    with pytest.raises(UsageError, match=message):
        write_labels(tmp_path / "a", bad(), geometry=geometry, **FORM)
    with pytest.raises(UsageError, match=message):
        Volume(bad(), geometry)
    assert not (tmp_path / "a").exists()


def test_a_geometry_that_says_the_same(tmp_path):
    check_same(tmp_path, write_labels(tmp_path / "a", bad(), geometry=GRID, **FORM))


def opened(array):
    return tensorstore.open(
        {"driver": "zarr3", "kvstore": {"driver": "file", "path": str(array.store.root)}}
    ).result()


def test_tensorstore(tmp_path):
    array = zarr.create_array(tmp_path / "source", data=LABELS, chunks=(8, 5, 4))
    store = opened(array)
    plain = described_grid(LABELS.shape)
    check_same(tmp_path, write_labels(tmp_path / "a", store, **FORM), grid=plain)
    # A view whose indices do not begin at 0, and that says where it lies.
    part = store[5:20, 2:9].translate_by[100, 0, 0]
    image = write_labels(tmp_path / "b", part, **FORM)
    np.testing.assert_array_equal(image.read(), LABELS[5:20, 2:9])
    assert image.geometry == described_grid((15, 7, 7), translation=(105, 2, 0))
    write_segmentation(tmp_path / "c", Segmentation((store,), (), GRID), **FORM)
    np.testing.assert_array_equal(open_labels(tmp_path / "c").read(), LABELS)


def test_dimensions_of_tensorstore_have_labels_and_units(tmp_path):
    """As neuroglancer's precomputed volumes have them, which begin anywhere, in the order x, y, z, channel."""
    x, y, z = LABELS.shape[::-1]
    spec = {
        "driver": "neuroglancer_precomputed",
        "kvstore": {"driver": "memory"},
        "multiscale_metadata": {"type": "segmentation", "data_type": "uint16", "num_channels": 1},
        "scale_metadata": {
            "resolution": [8, 8, 40],
            "size": [x, y, z],
            "voxel_offset": [5, 6, 7],
            "encoding": "raw",
            "chunk_size": [8, 8, 8],
        },
    }
    store = tensorstore.open(spec, create=True).result()
    store[...] = LABELS.T[..., None]
    image = write_labels(tmp_path / "a", store, **FORM)
    grid = described_grid(
        (1, *LABELS.shape), axes="czyx", scale=(1, 40, 8, 8), translation=(0, 280, 48, 40), units="nm"
    )
    check_same(tmp_path, image, LABELS[None], grid)
    with pytest.raises(UsageError, match="labels of the array are 'row', 'y', 'z', 'channel': rename them"):
        write_labels(tmp_path / "b", store.label["row", "y", "z", "channel"], **FORM)
    assert not (tmp_path / "b").exists()


def hdf5(folder, **form):
    file = h5py.File(folder / "labels.h5", "w")
    return file.create_dataset("labels", data=LABELS, **form)


OTHERS = {
    "h5py": hdf5,
    "h5py in chunks": lambda f: hdf5(f, chunks=(8, 5, 4), compression="gzip"),
    "h5py big endian": lambda f: hdf5(f, dtype=">u2"),
    "memmap": lambda f: np.memmap(f / "map", "u2", "w+", shape=LABELS.shape),
    "tensorstore in memory": lambda _: tensorstore.array(LABELS),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_other_arrays(kind, tmp_path):
    source = OTHERS[kind](tmp_path)
    if kind == "memmap":
        source[:] = LABELS
    grid = described_grid(LABELS.shape)
    check_same(tmp_path, write_labels(tmp_path / "a", source, **FORM), grid=grid)
    image = write_labels(tmp_path / "b", LABELS, image=source, **FORM)
    check_same(tmp_path / "b", image, grid=grid)
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "b" / "s0", mode="r")[:], LABELS)


def test_dims_are_axes_beside_an_image_with_channels(tmp_path):
    """By its shape alone the array could be of channels or of time; coordinates have to be those of the image."""
    image = np.zeros((3, 3, 9, 7), "uint8")
    steps = {"t": 60.0, "y": 0.5, "x": 0.5}
    write_labels(tmp_path / "a.zarr", image[:, 0], name="a", axes="tyx", scale=(60, 0.5, 0.5), image=image)
    coords = {dim: step * np.arange(n) for (dim, step), n in zip(steps.items(), (3, 9, 7), strict=True)}
    labels = xr().DataArray(image[:, 0] + 1, dims=("t", "y", "x"), coords=coords)
    made = write_labels(tmp_path / "a.zarr", labels, name="b")
    assert made.geometry == open_labels(tmp_path / "a.zarr", "a").geometry
    assert write_labels(tmp_path / "a.zarr", labels.drop_vars("t"), name="c").geometry == made.geometry
    with pytest.raises(UsageError, match=r"starts at 0 and 0\.5"):
        write_labels(tmp_path / "a.zarr", labels.assign_coords(y=labels.y + 0.5), name="d")
    masks = {"first": labels == 1, "second": labels == 2}
    assert write_labels(tmp_path / "a.zarr", masks=masks, name="e").geometry == made.geometry
