"""`MaskLayer`: masks that do not overlap, as one array of labels that is computed when it is sliced."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ngffseg.dask_arrays import computed
from ngffseg.errors import LabelValueError
from ngffseg.grid import Box
from ngffseg.labels.read.lazy_level import checked
from ngffseg.labels.read.sliced_array import SlicedArray
from ngffseg.model import ArrayLike

Mask = npt.NDArray[np.bool_]
# Voxels of masks that one thread holds at the same time.
TOGETHER = 2**27


class Occupied(Protocol):
    """Knows where masks have voxels; `ngffseg.labels.arrays.overlaps.Overlaps` does."""

    def parts(self, box: Box) -> Iterator[tuple[Box, Collection[int]]]:
        """Parts of a box, each with the numbers of the masks that may have voxels there."""


class MaskLayer(SlicedArray):
    """Labels of one layer: where a mask is true they have its value, where none is they are background.

    Parameters
    ----------
    masks
        Arrays of truth values of one shape, by number. No two have a voxel in common.
    values
        The label value of each of them.
    occupied
        Tells which masks need not be read in a box; None: all have to be.
    """

    def __init__(
        self, masks: Mapping[int, ArrayLike], values: Mapping[int, int], occupied: Occupied | None = None
    ) -> None:
        self.masks = {number: checked(mask) for number, mask in masks.items()}
        self.values, self.occupied = dict(values), occupied
        self.shape = tuple(next(iter(masks.values())).shape)
        self.ndim, self.dtype = len(self.shape), np.min_scalar_type(max(values.values()))
        self.chunks = common_chunks(masks.values(), self.shape)

    def read_box(self, box: Box) -> npt.NDArray[Any]:
        """Labels of a box; see `SlicedArray`."""
        labels = np.zeros([b.stop - b.start for b in box], self.dtype)
        for part, there in [(box, self.masks)] if self.occupied is None else self.occupied.parts(box):
            inside = tuple(slice(p.start - b.start, p.stop - b.start) for p, b in zip(part, box, strict=True))
            self._paint(labels[inside], part, sorted(self.masks.keys() & there))
        return labels

    def _paint(self, labels: npt.NDArray[Any], box: Box, numbers: Sequence[int]) -> None:
        """Give the voxels of some masks their values."""
        painted = 0
        for number, mask in read_masks(self.masks, numbers, box):
            np.copyto(labels, self.values[number], where=mask)
            painted += int(np.count_nonzero(mask))
        if painted != np.count_nonzero(labels):
            raise LabelValueError(
                f"masks in box [{_text(box)}] overlap, which they did not when they were looked at: the source has"
                " changed, open it anew"
            )


def read_masks(masks: Mapping[int, Any], numbers: Sequence[int], box: Box) -> Iterator[tuple[int, Mask]]:
    """The numbers and truth values of some masks in a box, one after another.

    Those of dask are computed a few together, by this thread, so that what they share is computed once.

    Raises
    ------
    LabelValueError
        If a mask gives something else than truth values of this box.
    """
    size = tuple(b.stop - b.start for b in box)
    step = max(1, TOGETHER // max(1, math.prod(size)))
    for start in range(0, len(numbers), step):
        some = numbers[start : start + step]
        found = [masks[number][box] for number in some]
        for number, part in zip(some, map(np.asarray, computed(found)), strict=True):
            if part.dtype != bool or part.shape != size:
                raise LabelValueError(
                    f"a mask came as {part.dtype} of shape {part.shape} in box [{_text(box)}]: give arrays of truth"
                    " values that stay as they are"
                )
            yield number, part


def common_chunks(masks: Iterable[Any], shape: Sequence[int]) -> tuple[int, ...]:
    """Per axis the largest of the chunks of some arrays."""
    found = [getattr(mask, "chunksize", getattr(mask, "chunks", None)) for mask in masks]
    return tuple(max(sizes) for sizes in zip((1,) * len(shape), *filter(None, found), strict=True))


def _text(box: Box) -> str:
    return ", ".join(f"{b.start}:{b.stop}" for b in box)
