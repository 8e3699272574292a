"""Which masks have voxels in common, and where each has any: found in one pass, block by block."""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from ngffseg.dask_arrays import core_count
from ngffseg.grid import Box, Index, touched_chunks
from ngffseg.labels.arrays.mask_layer import TOGETHER, common_chunks, read_masks
from ngffseg.labels.read.lazy_level import checked

# Voxels of a mask that are looked at together; chunks may make it some more.
BLOCK = 2**21
LARGEST_BLOCK = 2**24


@dataclass(frozen=True, slots=True)
class Overlaps:
    """What is known of some masks that were looked at.

    Parameters
    ----------
    others
        For each mask the numbers of those that have a voxel in common with it.
    block
        Voxels per axis that were looked at together.
    present
        By the index of a block, the masks that have voxels in it.
    """

    others: tuple[set[int], ...]
    block: tuple[int, ...]
    present: Mapping[Index, frozenset[int]]

    def parts(self, box: Box) -> Iterator[tuple[Box, frozenset[int]]]:
        """The parts of a box that lie in blocks with voxels of masks, and the numbers of these."""
        ranges = touched_chunks(box, self.block)
        for index in itertools.product(*ranges):
            if index in self.present:
                part = tuple(
                    slice(max(b.start, i * n), min(b.stop, (i + 1) * n))
                    for b, i, n in zip(box, index, self.block, strict=True)
                )
                yield part, self.present[index]


def find_overlaps(masks: Sequence[Any]) -> Overlaps:
    """Look at each voxel of each mask once.

    Parameters
    ----------
    masks
        Arrays of truth values of one shape. Some millions of voxels of them are held at a time, whatever their size.

    Raises
    ------
    LabelValueError
        If one gives something else.
    """
    shape = tuple(masks[0].shape)
    # What masks have in common is computed once if all of them fit into memory together.
    block = block_of(common_chunks(masks, shape), shape, min(BLOCK, TOGETHER // len(masks)))
    opened = dict(enumerate(map(checked, masks)))
    pairs, present = [0] * len(masks), {}
    with ThreadPoolExecutor(core_count()) as pool:
        indices = list(itertools.product(*(range(-(-n // b)) for n, b in zip(shape, block, strict=True))))
        boxes = [_box(index, block, shape) for index in indices]
        for index, found in zip(indices, pool.map(functools.partial(_look, opened), boxes), strict=True):
            if found:
                present[index] = frozenset(found)
            for number, earlier in found.items():
                pairs[number] |= earlier
    others: tuple[set[int], ...] = tuple(set() for _ in masks)
    for number, earlier in enumerate(pairs):
        for other in _numbers(earlier):
            others[number].add(other)
            others[other].add(number)
    return Overlaps(others, block, present)


def _look(masks: Mapping[int, Any], box: Box) -> dict[int, int]:
    """The masks that have voxels in a box, each with a set of the earlier ones that it overlaps there.

    Each voxel knows the set of masks that cover it, by a number; a mask that comes makes a new set of each that it
    touches. So a mask costs its own voxels, however many others there are. Sets of masks are bits of an int.
    """
    sets = np.zeros([b.stop - b.start for b in box], np.uint32)
    members, found = [0], {}
    for number, mask in read_masks(masks, sorted(masks), box):
        if not mask.any():
            continue
        covered = sets[mask]
        touched = np.zeros(len(members), bool)
        touched[covered] = True
        grown = np.zeros(len(members), np.uint32)
        grown[touched] = np.arange(len(members), len(members) + np.count_nonzero(touched))
        sets[mask] = grown[covered]
        below = [members[each] for each in np.flatnonzero(touched).tolist()]
        members += [each | 1 << number for each in below]
        found[number] = functools.reduce(operator.or_, below, 0)
    return found


def block_of(chunks: Sequence[int], shape: Sequence[int], room: int) -> tuple[int, ...]:
    """Voxels per axis that are looked at together: whole chunks, as long along all axes as that and room allow."""
    block = [max(1, min(c, n)) for c, n in zip(chunks, shape, strict=True)]
    while math.prod(block) > LARGEST_BLOCK:
        longest = block.index(max(block))
        block[longest] = -(-block[longest] // 2)
    while 2 * math.prod(block) <= room:
        short = [axis for axis, n in enumerate(shape) if block[axis] < n]
        if not short:
            break
        block[min(short, key=block.__getitem__)] *= 2
    return tuple(block)


def _box(index: Index, block: Sequence[int], shape: Sequence[int]) -> Box:
    return tuple(slice(i * b, min((i + 1) * b, n)) for i, b, n in zip(index, block, shape, strict=True))


def _numbers(bits: int) -> Iterator[int]:
    """The bits of an int that are set."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
