"""How levels are grouped into passes over the data.

A block of a pass is one write unit of the topmost level of the pass. Below it lie whole write
units of each level of the pass, down to the level that the pass reads: they are filled depth
first, each is written whole and reduced into the one above, so that a block holds one unit per
level in memory, whatever the number of voxels under it.
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
    def unit(self) -> tuple[int, ...]: ...
    @property
    def factors(self) -> tuple[int, ...]: ...


@dataclass(frozen=True, slots=True)
class Pass:
    """One sweep: reads ``source`` (None: the labels handed in) and writes ``targets``."""

    source: int | None
    targets: tuple[int, ...]


def plan_passes(levels: Sequence[_Level], reduction: Reduction) -> tuple[Pass, ...]:
    """Passes that build all levels; the first one reads the labels handed in and writes level 0."""
    passes: list[Pass] = []
    targets = [0]
    source: int | None = None
    for number in range(1, len(levels)):
        # Without cascade each level looks at level 0; level 1 sees it anyway.
        fits = reduction.cascade or (number == 1)
        if fits and _aligned(levels[number - 1], levels[number]) and _worth(levels, source, number):
            targets.append(number)
            continue
        passes.append(Pass(source, tuple(targets)))
        source = number - 1 if reduction.cascade else 0
        targets = [number]
    passes.append(Pass(source, tuple(targets)))
    return tuple(passes)


def _aligned(below: _Level, above: _Level) -> bool:
    """Whether a unit above covers whole units below, and each of those whole windows.

    That is what lets a block write both levels without two blocks touching one object.
    """
    for n, unit, upper, factor in zip(below.shape, below.unit, above.unit, above.factors, strict=True):
        if unit >= n:
            continue
        if unit % factor or (upper * factor) % unit:
            return False
    return True


def _worth(levels: Sequence[_Level], source: int | None, number: int) -> bool:
    """Whether a pass should go on to this level, instead of leaving it to the next pass."""
    level = levels[number]
    if math.prod(levels[source or 0].shape) <= SMALL_VOLUME:
        return True
    blocks = math.prod(-(-n // u) for n, u in zip(level.shape, level.unit, strict=True))
    per_unit = math.prod(level.unit)
    for between in levels[(source or 0) + 1 : number + 1]:
        per_unit *= math.prod(between.factors)
    return blocks >= FEWEST_BLOCKS and per_unit <= MOST_VOXELS
