"""`PyramidPlan`: what will be written, as pure arithmetic, before anything is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Unpack

import numpy as np
import numpy.typing as npt

from ngffseg.geometry import Geometry, downsampled, identity
from ngffseg.keywords import strict
from ngffseg.pyramid.compression import Compression, compression_of
from ngffseg.pyramid.layout import level_chunks, level_factors, level_shards
from ngffseg.pyramid.morton import morton
from ngffseg.pyramid.options import PYRAMID_KEYWORDS, PyramidOptions
from ngffseg.pyramid.passes import COUNTING, Pass, are_passes, plan_passes
from ngffseg.pyramid.reduction import Reduction

__all__ = ["Block", "Level", "Pass", "PyramidPlan", "plan_above", "plan_pyramid"]

# Chunks of more voxels than this are not copied to the levels above: whole volumes as one chunk.
LARGE_CHUNK = 2**24


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a pyramid.

    Parameters
    ----------
    path
        Name of its array.
    shape, chunks
        Voxels of the level, and of a chunk, per axis.
    shards
        Voxels of a shard per axis; None without shards.
    factors
        Window per axis that leads here from the level below; all 1 at level 0.
    geometry
        Grid of the level itself.
    """

    path: str
    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    shards: tuple[int, ...] | None
    factors: tuple[int, ...]
    geometry: Geometry

    @property
    def unit(self) -> tuple[int, ...]:
        """Voxels per axis that are written as one object, which are those of the shard, else of the chunk."""
        return self.shards or self.chunks


@dataclass(frozen=True, slots=True)
class Block:
    """The unit of work: one write unit of the top level of a pass, with all that is below it.

    No two blocks of a pass touch one object.

    Parameters
    ----------
    stage, index
        Number of the pass, and index of the write unit per axis.
    """

    stage: int
    index: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PyramidPlan:
    """Levels of a label pyramid and the passes of blocks that build them.

    Parameters
    ----------
    levels, dtype
        All levels, finest first; integer dtype of the labels, in the byte order of the machine.
    reduction
        How one level is made from another.
    passes
        They run one after another, the blocks of one pass in any order and side by side.
    compression
        Compression of the chunks.
    """

    levels: tuple[Level, ...]
    dtype: np.dtype[Any]
    reduction: Reduction
    passes: tuple[Pass, ...]
    compression: Compression

    @property
    def blocks(self) -> Iterator[Block]:
        """All blocks in order; they are made one at a time, since a plan may have millions."""
        for stage in range(len(self.passes)):
            yield from self.blocks_of(stage)

    def blocks_of(self, stage: int) -> Iterator[Block]:
        """The blocks of one pass along a Morton curve, made one at a time."""
        return (Block(stage, index) for index in morton(self.grid(stage)))

    @property
    def block_count(self) -> int:
        """Number of blocks of all passes."""
        return sum(self.blocks_in(stage) for stage in range(len(self.passes)))

    def blocks_in(self, stage: int) -> int:
        """Number of blocks of a pass."""
        return math.prod(self.grid(stage))

    def grid(self, stage: int) -> tuple[int, ...]:
        """Number of blocks per axis of a pass."""
        return unit_grid(self.levels[self.passes[stage].top])

    def window(self, source: int, target: int) -> tuple[int, ...]:
        """Factors per axis that lead from one level to another above it."""
        between = [level.factors for level in self.levels[source + 1 : target + 1]]
        if not between:
            return (1,) * len(self.levels[0].shape)
        return tuple(math.prod(axis) for axis in zip(*between, strict=True))


@strict(PYRAMID_KEYWORDS)
def plan_pyramid(
    geometry: Geometry | Sequence[int], dtype: npt.DTypeLike, **options: Unpack[PyramidOptions]
) -> PyramidPlan:
    """Plan a label pyramid: shapes, chunks, shards, grids and blocks, without any I/O.

    Parameters
    ----------
    geometry
        Grid of level 0, or its shape alone.
    dtype
        Integer dtype of the labels.
    **options
        See `PyramidOptions`.

    Raises
    ------
    UsageError
        If an option does not fit the shape, or shards do not hold whole chunks.
    """
    reduction = Reduction(
        options.get("method", "mode"), options.get("tie", "balanced"), options.get("cascade", True)
    )
    geometry = geometry if isinstance(geometry, Geometry) else identity(geometry)
    shape, spatial = geometry.shape, geometry.spatial_axes
    steps = level_factors(geometry, options.get("factors"), options.get("levels"))
    grids = [geometry]
    for factors in steps:
        grids.append(downsampled(grids[-1], factors, binning=reduction.binning))
    levels = []
    for number, (grid, factors) in enumerate(zip(grids, [(1,) * len(shape), *steps], strict=True)):
        chunks = level_chunks(grid.shape, spatial, options.get("chunks"))
        default_shards = "shards" not in options
        shards = level_shards(grid.shape, spatial, chunks, options.get("shards"), default=default_shards)
        levels.append(Level(str(number), grid.shape, chunks, shards, factors, grid))
    passes, compression = plan_passes(levels, reduction), compression_of(options.get("codec"), dtype)
    # In the byte order of this machine: kernels know no other, whatever the source has.
    native = np.dtype(dtype).newbyteorder("=")
    return PyramidPlan(tuple(levels), native, reduction, passes, compression)


@strict(PYRAMID_KEYWORDS)
def plan_above(
    geometry: Geometry,
    dtype: npt.DTypeLike,
    stored_chunks: Sequence[int],
    stored_shards: Sequence[int] | None,
    **options: Unpack[PyramidOptions],
) -> PyramidPlan:
    """Plan the levels above a level 0 that is stored already, as `plan_pyramid`.

    Parameters
    ----------
    stored_chunks, stored_shards
        Those of level 0. By default the others have the same, unless a chunk is very large.

    Raises
    ------
    UsageError
        As `plan_pyramid`.
    """
    chunks, shards = tuple(stored_chunks), tuple(stored_shards) if stored_shards else None
    if math.prod(chunks) <= LARGE_CHUNK:
        options.setdefault("shards", shards)
        options.setdefault("chunks", chunks)
    plan = plan_pyramid(geometry, dtype, **options)
    levels = (replace(plan.levels[0], chunks=chunks, shards=shards), *plan.levels[1:])
    return replace(plan, levels=levels, passes=plan_passes(levels, plan.reduction, stored=True))


def level0_alone(plan: PyramidPlan) -> PyramidPlan:
    """The plan with level 0 written in a pass of its own, from which all others are built."""
    above = plan_passes(plan.levels, plan.reduction, stored=True) if len(plan.levels) > 1 else ()
    return replace(plan, passes=(Pass(None, (0,)), *above))


def counting_plan(plan: PyramidPlan) -> PyramidPlan:
    """The plan of level 0, which is stored, to be counted and not written."""
    return replace(plan, levels=plan.levels[:1], passes=(COUNTING,))


def unit_grid(level: Level) -> tuple[int, ...]:
    """Number of write units per axis of a level."""
    return tuple(-(-n // u) for n, u in zip(level.shape, level.unit, strict=True))


def with_passes(plan: PyramidPlan, passes: tuple[Pass, ...]) -> PyramidPlan | None:
    """The plan with the passes that a record tells; None if they do not build its levels."""
    stored = not plan.passes or plan.passes[0].source is not None
    fit = are_passes(passes, plan.levels, plan.reduction, stored=stored)
    return replace(plan, passes=passes) if fit else None
