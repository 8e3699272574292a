"""Boxes as people give them, checked against the shape of an array."""

from __future__ import annotations

import operator
from collections.abc import Sequence

import numpy as np

from ngffseg.errors import UsageError
from ngffseg.keywords import shown

BoxLike = Sequence[slice | tuple[int, int]]
RANGES = "give a slice or a pair (start, stop) of whole numbers per axis"


def exact_box(box: BoxLike | None, shape: Sequence[int]) -> tuple[slice, ...]:
    """The box as slices with start and stop inside the shape.

    Raises
    ------
    UsageError
        If it is no box, has another number of axes, a step, or leaves the shape.
    """
    if box is None:
        return tuple(slice(0, n) for n in shape)
    if _is_mask(box):
        raise UsageError("a box is a mask: index with it, as in image[mask], or give ranges")
    if not _is_listed(box):
        raise UsageError(f"a box is a {type(box).__name__}: {RANGES}")
    if len(box) != len(shape):
        raise UsageError(
            f"box {shown(box)} has {len(box)} axes, the image {len(shape)}: give one range per axis"
        )
    return tuple(_exact_range(part, n) for part, n in zip(box, shape, strict=True))


def _is_mask(box: object) -> bool:
    return isinstance(box, np.ndarray) and box.dtype == bool


def _is_listed(box: object) -> bool:
    # A text is a sequence, too.
    return isinstance(box, Sequence | np.ndarray) and not isinstance(box, str)


def _exact_range(part: slice | tuple[int, int], size: int) -> slice:
    try:
        start, stop, step = (part.start, part.stop, part.step) if isinstance(part, slice) else (*part, None)
        start = 0 if start is None else operator.index(start)
        stop = size if stop is None else operator.index(stop)
    except (TypeError, ValueError):
        raise UsageError(f"a range of a box is {shown(part)}: {RANGES}") from None
    if step not in (None, 1) or not 0 <= start <= stop <= size:
        raise UsageError(
            f"range {start}:{stop} does not lie in 0:{size}: give start and stop inside it, and no step"
        )
    return slice(start, stop)
