"""Chunks put together to a box."""

from __future__ import annotations

from ngffseg.grid import Box, Labels


def paste(out: Labels, box: Box, chunk: Labels, index: tuple[int, ...]) -> None:
    """Copy the part of a chunk that lies in a box to its place there."""
    origin = [i * c for i, c in zip(index, chunk.shape, strict=True)]
    low = [max(b.start, o) for b, o in zip(box, origin, strict=True)]
    high = [min(b.stop, o + c) for b, o, c in zip(box, origin, chunk.shape, strict=True)]
    there = tuple(slice(a - b.start, z - b.start) for a, z, b in zip(low, high, box, strict=True))
    here = tuple(slice(a - o, z - o) for a, z, o in zip(low, high, origin, strict=True))
    out[there] = chunk[here]
