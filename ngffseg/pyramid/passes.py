"""How levels are grouped into passes over the data.

A block of a pass is one write unit of the topmost level of the pass. Below it lie whole write
units of each level of the pass, down to the level that the pass reads. Their tiles (chunks) are
filled depth first, each reduced into the one above, so that a block holds one tile per level in
memory, and the encoded tiles of unfinished objects, whatever the number of voxels under it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ngffseg.pyramid.reduction import Reduction

# Fewer blocks than this would leave cores idle; more voxels make a block slow to repeat.
FEWEST_BLOCKS = 8
MOST_VOXELS = 2**29
SMALL_VOLUME = 2**25


class _Level(Protocol):
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def chunks(self) -> tuple[int, ...]: ...
    @property
    def unit(self) -> tuple[int, ...]: ...
    @property
    def factors(self) -> tuple[int, ...]: ...


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass of the engine: it reads a level and writes others.

    Parameters
    ----------
    source
        Number of the level that is read; None for the labels that are handed in.
    targets
        Numbers of the levels that are written. Without any, the pass only counts what it reads.
    """

    source: int | None
    targets: tuple[int, ...]

    @property
    def top(self) -> int:
        """The level whose write units are the blocks, which is the topmost that is written, else the one that is read."""
        return self.targets[-1] if self.targets else self.source or 0


# Level 0 is stored, and there is nothing above it.
COUNTING = Pass(0, ())


def plan_passes(levels: Sequence[_Level], reduction: Reduction, *, stored: bool = False) -> tuple[Pass, ...]:
    """Passes that build all levels, or all above level 0 where that is ``stored`` already.

    The first of them reads level 0 and counts its labels, even where no level is to be built from it.
    """
    first = 1 if stored else 0
    if first == len(levels):
        return (COUNTING,)
    passes: list[Pass] = []
    source: int | None = 0 if stored else None
    targets = [first]
    for number in range(first + 1, len(levels)):
        if _fits(levels, source, number, reduction) and _worth(levels, source, number):
            targets.append(number)
            continue
        passes.append(Pass(source, tuple(targets)))
        source = number - 1 if reduction.cascade else 0
        targets = [number]
    passes.append(Pass(source, tuple(targets)))
    return tuple(passes)


def are_passes(
    passes: Sequence[Pass], levels: Sequence[_Level], reduction: Reduction, *, stored: bool = False
) -> bool:
    """Return True if some passes, which a record tells, build all levels as those of `plan_passes` do."""
    if tuple(passes) == (COUNTING,):
        return stored and len(levels) == 1
    number = 1 if stored else 0
    for pass_ in passes:
        source = None if number == 0 else number - 1 if reduction.cascade else 0
        targets = range(number, number + len(pass_.targets))
        if pass_.source != source or pass_.targets != tuple(targets) or targets.stop > len(levels):
            return False
        if not all(_fits(levels, source, target, reduction) for target in targets[1:]):
            return False
        number = targets.stop
    return number == len(levels) and all(pass_.targets for pass_ in passes)


def _fits(levels: Sequence[_Level], source: int | None, number: int, reduction: Reduction) -> bool:
    """Return True if a block can write this level together with the one below it.

    No two blocks may touch one object, and a tile must lie under one tile of the level above.
    """
    below, above = levels[number - 1], levels[number]
    if not (_nested(below.shape, below.chunks, above.chunks, above) and _whole(below, above.factors)):
        return False
    if not _nested(below.shape, below.unit, above.unit, above):
        return False
    if reduction.cascade:
        return True
    # Tiles of level 0 are reduced into each level by themselves: they hold whole windows of all.
    base = source or 0
    return all(
        size % window == 0 or level.chunks[axis] >= level.shape[axis]
        for at, level in enumerate(levels[base:number], start=base)
        for axis, (size, window) in enumerate(
            zip(_spans(levels, base, at), _window(levels, base, number), strict=True)
        )
    )


def _nested(shape: Sequence[int], lower: Sequence[int], upper: Sequence[int], above: _Level) -> bool:
    """Return True if tiles (or units) of a level cover whole ones of the level below."""
    return all(
        up >= n_up or (low < n and up * factor % low == 0)
        for n, low, up, factor, n_up in zip(shape, lower, upper, above.factors, above.shape, strict=True)
    )


def _whole(below: _Level, factors: Sequence[int]) -> bool:
    """Return True if tiles of a level hold whole windows."""
    return all(
        c >= n or c % factor == 0 for n, c, factor in zip(below.shape, below.chunks, factors, strict=True)
    )


def _window(levels: Sequence[_Level], base: int, number: int) -> tuple[int, ...]:
    factors = [level.factors for level in levels[base + 1 : number + 1]]
    return tuple(math.prod(axis) for axis in zip(*factors, strict=True)) or (1,) * len(levels[0].shape)


def _spans(levels: Sequence[_Level], base: int, number: int) -> tuple[int, ...]:
    window = _window(levels, base, number)
    return tuple(c * w for c, w in zip(levels[number].chunks, window, strict=True))


def _worth(levels: Sequence[_Level], source: int | None, number: int) -> bool:
    """Return True if a pass should go on to this level, instead of leaving it to the next pass."""
    level, base = levels[number], source or 0
    if math.prod(levels[base].shape) <= SMALL_VOLUME:
        return True
    blocks = math.prod(-(-n // u) for n, u in zip(level.shape, level.unit, strict=True))
    voxels = math.prod(level.unit) * math.prod(_window(levels, base, number))
    return blocks >= FEWEST_BLOCKS and voxels <= MOST_VOXELS
