"""The plan: pure arithmetic, printable before anything is written."""

import math
import pickle

import numpy as np
import pytest

from ngffseg.errors import UsageError
from ngffseg.geometry import Geometry, identity
from ngffseg.pyramid import plan_pyramid


def test_a_shape_alone_is_a_grid_of_unit_voxels():
    assert plan_pyramid((200, 200, 200), "uint8") == plan_pyramid(identity((200, 200, 200)), np.uint8)


def shapes(plan):
    return [level.shape for level in plan.levels]


def test_levels_halve_until_they_are_small():
    plan = plan_pyramid(identity((512, 400, 65)), np.uint32)
    assert shapes(plan) == [(512, 400, 65), (256, 200, 33), (128, 100, 17), (64, 50, 9)]


def test_long_voxels_wait_until_the_others_have_caught_up():
    affine = np.diag([1.0, 1.0, 5.0, 1.0])
    plan = plan_pyramid(Geometry((40, 512, 512), affine), np.uint8)
    assert [level.factors for level in plan.levels] == [(1, 1, 1), (1, 2, 2), (1, 2, 2), (2, 2, 2)]


def test_time_and_channels_keep_their_size():
    plan = plan_pyramid(identity((3, 2, 100, 130, 90)), np.uint8)
    assert shapes(plan) == [(3, 2, 100, 130, 90), (3, 2, 50, 65, 45), (3, 2, 25, 33, 23)]
    assert plan.levels[0].chunks == (1, 1, 64, 64, 64)


def test_an_axis_of_one_voxel_stays():
    plan = plan_pyramid(identity((1, 200, 200)), np.uint8)
    assert shapes(plan)[-1] == (1, 50, 50)


def test_factors_per_level():
    plan = plan_pyramid(identity((30, 30, 30)), np.uint8, factors=[(1, 2, 3), (5, 1, 2)])
    assert shapes(plan) == [(30, 30, 30), (30, 15, 10), (6, 15, 5)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"levels": 0}, "levels 0"),
        ({"factors": 17}, "1 to 16"),
        ({"factors": (2, 2)}, "give 3 numbers"),
        ({"factors": 1.5}, "give a whole number"),
        ({"factors": [(2, 2, 2)], "levels": 3}, "drop one of them"),
        ({"chunks": 0}, "at least 1"),
        ({"chunks": 16, "shards": 24}, "no whole number of chunks of 16"),
        ({"method": "mean"}, "give one of"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        plan_pyramid(identity((100, 100, 100)), np.uint8, **options)


def test_factors_of_time_are_refused():
    with pytest.raises(UsageError, match="axis t is not space"):
        plan_pyramid(identity((4, 100, 100, 100)), np.uint8, factors=(2, 2, 2, 2))


@pytest.mark.parametrize("shape", [(34, 128, 128), (100, 513, 700), (3, 3, 3), (2000, 2000, 2000)])
def test_shards_hold_whole_chunks_and_no_more_than_the_level(shape):
    for level in plan_pyramid(identity(shape), np.uint8).levels:
        if level.shards is None:
            assert all(c == n for c, n in zip(level.chunks, level.shape, strict=True))
            continue
        for shard, chunk, n in zip(level.shards, level.chunks, level.shape, strict=True):
            assert shard % chunk == 0
            assert shard < n + chunk


def test_a_plan_of_a_petavoxel_is_made_at_once_and_blocks_are_small():
    plan = plan_pyramid(identity((100_000, 100_000, 100_000)), np.uint64)
    assert plan.block_count > 10**6
    first = next(plan.blocks)
    assert len(pickle.dumps(first)) < 300
    for stage in plan.passes:
        per_block = math.prod(plan.levels[stage.targets[0]].unit)
        assert per_block <= 256**3


def test_geometry_of_levels_follows_the_window():
    affine = np.diag([2.0, 3.0, 4.0, 1.0])
    plan = plan_pyramid(Geometry((64, 64, 64), affine), np.uint8, levels=2, factors=2)
    assert plan.levels[1].geometry.affine.tolist() == [
        [4, 0, 0, 1], [0, 6, 0, 1.5], [0, 0, 8, 2], [0, 0, 0, 1]
    ]  # fmt: skip
    same = plan_pyramid(Geometry((64, 64, 64), affine), np.uint8, levels=2, factors=2, method="nearest")
    assert same.levels[1].geometry.affine[:3, 3].tolist() == [0, 0, 0]
