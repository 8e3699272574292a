"""`Reduction`: how one level is made from a finer one, and the function that does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from ngffseg.errors import UsageError
from ngffseg.grid import Labels
from ngffseg.pyramid import kernels, windows
from ngffseg.pyramid.compilation import as_input, unsigned

Method = Literal["mode", "sparse", "nearest"]
Tie = Literal["balanced", "smallest"]


@dataclass(frozen=True, slots=True)
class Reduction:
    """How a window of labels becomes one label.

    Parameters
    ----------
    method
        ``mode``: the most frequent label. ``sparse``: the most frequent foreground label, 0 only
        where there is no other, so that thin structures survive. ``nearest``: the first label.
    tie
        Which of several most frequent labels wins. ``balanced``: the largest where the sum of
        (index >> 1) over the space axes but the last is even, the smallest elsewhere; indices
        are those of the level, so that neither chunks nor blocks matter. It keeps volumes and
        centroids of segments. ``smallest``: always the smallest, as tensorstore does it.
    cascade
        True: each level from the level below. False: each level from level 0.
    """

    method: Method = "mode"
    tie: Tie = "balanced"
    cascade: bool = True

    def __post_init__(self) -> None:
        for name, value, known in (("method", self.method, Method), ("tie", self.tie, Tie)):
            if value not in get_args(known):
                raise UsageError(f"{name} {value!r} is not known: use one of {', '.join(get_args(known))}")

    @property
    def binning(self) -> bool:
        """Return True if a voxel stands for its whole window, or for the first voxel of it."""
        return self.method != "nearest"


def downsample(
    labels: Labels,
    factors: Sequence[int],
    reduction: Reduction | None = None,
    *,
    start: Sequence[int] | None = None,
) -> Labels:
    """Return the next coarser level of an array of labels.

    Parameters
    ----------
    labels
        Integer array of 2 to 5 dimensions; the last two or three are space.
    factors
        Size of the window per axis; 1 on axes that are not space. Windows at the upper edge hold
        fewer voxels.
    reduction
        By default the mode with balanced ties.
    start
        Index of the first output voxel in its level, for a piece of a larger array.

    Returns
    -------
    numpy.ndarray
        Shape ceil(n / factor), same dtype.
    """
    shape = tuple(-(-n // f) for n, f in zip(labels.shape, factors, strict=True))
    out = np.empty(shape, labels.dtype)
    first = tuple(start) if start is not None else (0,) * labels.ndim
    downsample_into(out, labels, factors, reduction or Reduction(), at=(0,) * labels.ndim, start=first)
    return out


def downsample_into(
    out: Labels,
    labels: Labels,
    factors: Sequence[int],
    reduction: Reduction,
    *,
    at: Sequence[int],
    start: Sequence[int],
) -> None:
    """Downsample a piece of labels into ``out`` from index ``at``; ``out[0, ...]`` is at ``start``.

    ``out`` is C-contiguous. Pieces begin at a whole window.
    """
    space = min(3, labels.ndim)
    lead = labels.ndim - space
    if any(f != 1 for f in factors[:lead]):
        raise UsageError(f"factors {tuple(factors)} downsample an axis that is not space: use 1 there")
    sizes = labels.shape[:lead]
    for index in np.ndindex(*sizes):
        target = out[tuple(a + i for a, i in zip(at[:lead], index, strict=True))]
        _volume(
            _three(target),
            _three(np.ascontiguousarray(labels[index])),
            (1, *factors)[-3:] if space == 2 else tuple(factors[lead:]),
            reduction,
            (0, *at)[-3:] if space == 2 else tuple(at[lead:]),
            (0, *start)[-3:] if space == 2 else tuple(start[lead:]),
        )


def _three(array: Labels) -> Labels:
    return array[np.newaxis] if array.ndim == 2 else array


def _volume(
    out: Labels,
    labels: Labels,
    factors: Sequence[int],
    reduction: Reduction,
    at: Sequence[int],
    start: Sequence[int],
) -> None:
    fz, fy, fx = (int(f) for f in factors)
    at, start = tuple(int(a) for a in at), tuple(int(s) for s in start)
    if reduction.method == "nearest":
        picked = labels[::fz, ::fy, ::fx]
        out[tuple(slice(a, a + n) for a, n in zip(at, picked.shape, strict=True))] = picked
        return
    masks, out = _masks(labels.dtype), out.view(unsigned(out.dtype))
    balanced, sparse = reduction.tie == "balanced", reduction.method == "sparse"
    fast = {(2, 2, 2): kernels.mode_2x2x2, (1, 2, 2): kernels.mode_1x2x2}.get((fz, fy, fx))
    if fast is None:
        windows.mode_of_windows(as_input(labels), out, at, start, balanced, masks, (fz, fy, fx), sparse)
        return
    # A window of two per axis that is cut by the edge has the same modes when its labels are
    # counted twice, so the edge is repeated.
    pad = [(0, -n % f) for n, f in zip(labels.shape, (fz, fy, fx), strict=True)]
    if any(after for _, after in pad):
        labels = np.pad(labels, pad, mode="edge")
    labels = as_input(labels)
    fast(labels, out, at, start, balanced, masks)
    if sparse:
        windows.foreground_of_windows(labels, out, at, start, balanced, masks, (fz, fy, fx))


def _masks(dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """Bits that are changed in labels seen as unsigned, where the smallest of them wins a tie, and the largest.

    Of signed labels the highest bit is changed besides, since negative ones come first.
    """
    limits = np.iinfo(dtype)
    sign = unsigned(dtype).type(-int(limits.min))
    return sign, ~sign
