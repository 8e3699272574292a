"""What a plan says before a job: the same numbers that the job has afterwards."""

import numpy as np
import pytest
import zarr

from ngffseg import plan_pyramid, write_labels
from ngffseg.geometry import identity
from ngffseg.labels import rebuild_levels
from ngffseg.planning import calibrate, calibration
from ngffseg.pyramid import Rates, estimate, plan_above

RATES = Rates(
    start=1.0, read=1e-9, write=2e-9, chunk=1e-4, object=1e-3, scaling=0.8, packed=0.5, growth=2.0, memory=1e8
)
LABELS = np.ones((100, 130, 70), np.uint16)
OPTIONS = {"chunks": (16, 20, 32), "shards": (32, 40, 32)}


def files(folder):
    return [f for f in folder.rglob("*") if f.is_file()]


@pytest.mark.parametrize("shards", [(32, 40, 32), None])
def test_objects_and_chunks_are_those_of_a_real_write(shards, tmp_path):
    options = {**OPTIONS, "shards": shards}
    plan = plan_pyramid(LABELS.shape, LABELS.dtype, **options)
    found = estimate(plan, RATES, workers=2)
    write_labels(tmp_path / "a.zarr", LABELS, name="a", **options)
    levels = tmp_path / "a.zarr" / "labels" / "a"
    objects = [f for f in files(levels) if f.name != "zarr.json"]
    documents = found.objects - len(objects)
    # All else is metadata and the index.
    assert documents >= len(files(tmp_path / "a.zarr")) - len(objects)
    assert documents <= len(files(tmp_path / "a.zarr")) - len(objects) + 8
    arrays = [zarr.open_array(levels / level.path, mode="r") for level in plan.levels]
    assert found.chunks == sum(
        int(np.prod([-(-n // c) for n, c in zip(a.shape, a.chunks, strict=True)])) for a in arrays
    )
    assert found.raw_bytes == sum(a.nbytes for a in arrays)


def test_blocks_are_those_of_a_real_run(tmp_path):
    write_labels(tmp_path / "a.zarr", LABELS, name="a", levels=1, **OPTIONS)
    plan = plan_above(identity(LABELS.shape), LABELS.dtype, OPTIONS["chunks"], OPTIONS["shards"])
    seen = []
    rebuild_levels(tmp_path / "a.zarr", progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (estimate(plan, RATES, workers=2).blocks,) * 2


def test_the_model_is_its_formula():
    plan = plan_pyramid((64, 64, 64), "uint8", chunks=32, shards=None, levels=2)
    found = estimate(plan, RATES, workers=1, latency=0.5)
    voxels, chunks = 64**3 + 32**3, 8 + 1
    documents = found.puts - chunks
    assert (found.gets, found.lists, found.chunks) == (8, 1, chunks)
    assert found.read_bytes == 0.5 * 64**3
    assert found.written_bytes == 0.5 * 64**3 + 1.0 * 32**3
    work = 1e-9 * 64**3 + 2e-9 * voxels + 1e-4 * (8 + chunks) + (1e-3 + 0.5) * (8 + found.puts) + 0.5
    assert found.seconds == pytest.approx(1 + work)
    assert found.dollars == pytest.approx(8 * 4e-7 + (chunks + documents + 1) * 5e-6)


def test_packed_bytes_are_never_more_than_raw_ones():
    plan = plan_pyramid((4096, 4096, 4096), "uint8")
    found = estimate(plan, RATES, workers=1)
    assert found.written_bytes < found.raw_bytes
    assert estimate(plan, RATES, workers=1, occupied=0.01).written_bytes == pytest.approx(
        found.written_bytes / 100
    )


def test_in_place_level_0_is_only_read():
    plan = plan_pyramid((512, 512, 512), "uint32", chunks=64, shards=None)
    above = plan_above(identity((512, 512, 512)), "uint32", (64, 64, 64), None)
    whole, part = estimate(plan, RATES, workers=2), estimate(above, RATES, workers=2, in_place=True)
    assert whole.objects - part.objects == 512
    assert part.seconds < whole.seconds
    assert (
        whole.gets
        >= part.gets
        == 512
        + sum(int(np.prod([-(-n // 64) for n in above.levels[s.source].shape])) for s in above.passes[1:])
    )


def test_a_petavoxel_is_estimated_at_once_and_fits_into_memory():
    plan = plan_pyramid((100_000,) * 3, "uint64")
    found = estimate(plan, RATES, workers=1000)
    assert found.blocks < 10**7
    assert found.memory_per_thread < 2**30
    assert found.raw_bytes > 8 * 10**15


def test_rates_are_measured_on_this_machine(monkeypatch):
    monkeypatch.setattr(calibration, "EDGE", 80)
    monkeypatch.setattr(calibration, "LAYOUTS", ((16, None), (8, None), (16, 32), (8, 16)))
    rates = calibrate("uint16", 2, method="mode", codec="gzip-1")
    values = [getattr(rates, name) for name in rates.__slots__]
    assert all(value >= 0 for value in values)
    assert rates.read + rates.write + rates.chunk + rates.object > 0
    assert 0 < rates.scaling <= 1
    assert 0 < rates.packed < 2
    assert rates.growth >= 1
    assert 2**24 < rates.memory < 2**32


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint64"])
def test_made_labels_are_exact_and_many(dtype):
    labels = calibration.made_labels(dtype)
    assert labels.shape == (256, 256, 256)
    assert labels.dtype == dtype
    assert labels.min() >= 0
    assert len(np.unique(labels)) > 60
