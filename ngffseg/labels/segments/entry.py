"""`SegmentEntry`: what the index says of one segment."""

from __future__ import annotations

from dataclasses import dataclass

# What a sum is that is not known.
UNKNOWN_SUM = 2**64 - 1


@dataclass(frozen=True, slots=True)
class SegmentEntry:
    """One segment of an index.

    Parameters
    ----------
    label_value
        Its label.
    voxels
        Number of its voxels at level 0.
    volume
        Its volume in mm^3 (area in mm^2 where there is no axis z); None where the axes have no unit.
    box
        Start and stop (exclusive) per axis, in voxels of level 0.
    centroid
        Mean index of its voxels per axis, in voxels of level 0, as float64; NaN where the sums were
        too large to be kept.
    chunk_count
        Number of chunks of level 0 that hold it.
    """

    label_value: int
    voxels: int
    volume: float | None
    box: tuple[tuple[int, int], ...]
    centroid: tuple[float, ...]
    chunk_count: int


def mean(total: int, count: int) -> float:
    """The mean of a sum; Python divides integers of any size with one rounding. NaN for an unknown sum."""
    return float("nan") if total == UNKNOWN_SUM else total / count
