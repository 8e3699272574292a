"""Factors, chunks and shards of each level: what was asked for, or what fits."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TypeGuard

from ngffseg.errors import UsageError
from ngffseg.geometry import Geometry, downsampled, scales

Sizes = int | Sequence[int]
SMALL_LEVEL = 64
CHUNK = {2: 512, 3: 64}
CHUNKS_PER_SHARD = {2: 8, 3: 4}
LARGEST_WINDOW = 16


def level_factors(
    geometry: Geometry,
    factors: int | Sequence[int] | Sequence[Sequence[int]] | None,
    levels: int | None,
) -> list[tuple[int, ...]]:
    """Factors that lead to level 1, 2, ..., one tuple per step, in array order.

    Raises
    ------
    UsageError
        If the factors or their number are out of range, or an axis that is not space has one.
    """
    if levels is not None and not 1 <= levels <= 32:
        raise UsageError(f"levels {levels}: give 1 to 32, level 0 included")
    steps: list[tuple[int, ...]] = []
    given = None if factors is None else _given_factors(geometry, factors)
    per_level = given if given is not None and _is_nested(factors) else None
    if per_level is not None:
        if levels is not None and levels != len(per_level) + 1:
            raise UsageError(
                f"factors lead to {len(per_level) + 1} levels, but levels is {levels}: drop one of them"
            )
        return per_level
    grid = geometry
    while len(steps) + 1 < levels if levels is not None else not _small(grid):
        step = given[0] if given is not None else _halving(grid)
        if all(f == 1 for f in step) and levels is None:
            break
        steps.append(step)
        grid = downsampled(grid, step)
    return steps


def _small(grid: Geometry) -> bool:
    return all(grid.shape[axis] <= SMALL_LEVEL for axis in grid.spatial_axes)


def _halving(grid: Geometry) -> tuple[int, ...]:
    """2 along each space axis, but 1 along axes of voxels that are twice as long as the shortest."""
    lengths = scales(grid)
    wide = [axis for axis in grid.spatial_axes if grid.shape[axis] > 1]
    shortest = min((lengths[axis] for axis in wide), default=1.0)
    return tuple(2 if axis in wide and lengths[axis] < 2 * shortest else 1 for axis in range(len(grid.shape)))


def _is_nested(factors: object) -> TypeGuard[Sequence[Sequence[int]]]:
    return isinstance(factors, Sequence) and all(isinstance(step, Sequence) for step in factors)


def _given_factors(
    geometry: Geometry, factors: int | Sequence[int] | Sequence[Sequence[int]]
) -> list[tuple[int, ...]]:
    if _is_nested(factors):
        return [_one_step(geometry, step) for step in factors]
    return [_one_step(geometry, factors)]  # type: ignore[arg-type]


def _one_step(geometry: Geometry, factors: Sizes) -> tuple[int, ...]:
    step = _per_axis(factors, len(geometry.shape), geometry.spatial_axes, "factors", rest=(1,) * 5)
    for axis, factor in enumerate(step):
        if factor != 1 and axis not in geometry.spatial_axes:
            raise UsageError(f"factors {step}: axis {geometry.axes[axis]} is not space, its factor must be 1")
        if not 1 <= factor <= LARGEST_WINDOW:
            raise UsageError(f"factors {step}: give 1 to {LARGEST_WINDOW} per axis")
    # An axis of one voxel cannot get smaller.
    return tuple(1 if n == 1 else f for n, f in zip(geometry.shape, step, strict=True))


def _per_axis(
    sizes: Sizes, ndim: int, spatial: Sequence[int], what: str, rest: Sequence[int]
) -> tuple[int, ...]:
    """Sizes given for all space axes at once, for each space axis or for each axis."""
    given = list(sizes) if isinstance(sizes, Sequence) else [sizes] * len(spatial)
    try:
        values = [operator.index(v) for v in given]
    except TypeError:
        raise UsageError(f"{what} {sizes!r}: give whole numbers") from None
    if len(values) == ndim:
        return tuple(values)
    if len(values) != len(spatial):
        raise UsageError(
            f"{what} {sizes!r}: give {len(spatial)} numbers, one per space axis, or {ndim}, one per axis"
        )
    full = list(rest[:ndim])
    for axis, value in zip(spatial, values, strict=True):
        full[axis] = value
    return tuple(full)


def level_chunks(shape: Sequence[int], spatial: Sequence[int], chunks: Sizes | None) -> tuple[int, ...]:
    """Chunk of a level: what was asked for, but never larger than the level."""
    asked = CHUNK[min(3, len(spatial))] if chunks is None else chunks
    full = _per_axis(asked, len(shape), spatial, "chunks", rest=(1,) * 5)
    if any(c < 1 for c in full):
        raise UsageError(f"chunks {chunks!r}: give at least 1 per axis")
    return tuple(min(c, n) for c, n in zip(full, shape, strict=True))


def level_shards(
    shape: Sequence[int],
    spatial: Sequence[int],
    chunks: Sequence[int],
    shards: Sizes | None,
    *,
    default: bool,
) -> tuple[int, ...] | None:
    """Shard of a level in whole chunks, no larger than the level needs; None for a single chunk."""
    if shards is None and not default:
        return None
    per_shard = CHUNKS_PER_SHARD[min(3, len(spatial))]
    wanted = [c * per_shard if a in spatial else c for a, c in enumerate(chunks)]
    if shards is not None:
        wanted = list(_per_axis(shards, len(shape), spatial, "shards", rest=tuple(chunks)))
    needed = [-(-n // c) * c for n, c in zip(shape, chunks, strict=True)]
    full = []
    for axis, (want, chunk, need) in enumerate(zip(wanted, chunks, needed, strict=True)):
        if want % chunk and want < shape[axis]:
            raise UsageError(f"shards {shards!r}: {want} is no whole number of chunks of {chunk}")
        full.append(min(want, need) if want % chunk == 0 else need)
    return tuple(full) if any(s > c for s, c in zip(full, chunks, strict=True)) else None
