"""Grids of chunks."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from ngffseg.grid.types import Box


def chunk_grid(shape: Sequence[int], chunks: Sequence[int]) -> tuple[int, ...]:
    """Number of chunks along each axis."""
    return tuple(-(-n // c) for n, c in zip(shape, chunks, strict=True))


def touched_chunks(box: Sequence[slice | range], chunks: Sequence[int]) -> list[range]:
    """Indices of the chunks that touch a box, along each axis."""
    return [range(b.start // c, -(-b.stop // c)) for b, c in zip(box, chunks, strict=True)]


def chunk_boxes(shape: Sequence[int], chunks: Sequence[int], region: Box | None = None) -> Iterator[Box]:
    """Boxes of all chunks that touch a region, or of all; those at the end of an axis are cut at the shape."""
    inside = region if region is not None else tuple(slice(0, n) for n in shape)
    for index in itertools.product(*touched_chunks(inside, chunks)):
        yield tuple(slice(i * c, min((i + 1) * c, n)) for i, c, n in zip(index, chunks, shape, strict=True))
