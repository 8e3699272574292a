"""`LabelSource`: labels of a level that are read tile by tile, in the order in which blocks need them."""

from __future__ import annotations

from typing import Any, Protocol, TypeGuard

import numpy as np
import numpy.typing as npt

from ngffseg.errors import LabelValueError, UsageError
from ngffseg.grid import Box, Labels


class LabelSource(Protocol):
    """Chunks of labels that can be read; `ngffseg.chunks.StoredLabels` is one."""

    @property
    def chunks(self) -> tuple[int, ...]:
        """Voxels that are decoded together."""

    @property
    def unit(self) -> tuple[int, ...]:
        """Voxels per object."""

    def read(self, box: Box, out: Labels) -> Labels | None:
        """Labels of a box, C-contiguous, perhaps in the flat buffer ``out``; None: background."""

    def occupied(self) -> npt.NDArray[np.int64] | None:
        """Indices of the objects that are there, shape (n, ndim); None: perhaps all."""

    def encoded_for(self, target: object) -> Any:
        """The chunk that this thread has read last as the target would encode it; None: unknown."""


def is_source(labels: object) -> TypeGuard[LabelSource]:
    """Return True if labels are read chunk by chunk already."""
    return hasattr(labels, "read") and hasattr(labels, "occupied")


def checked(labels: Labels | None, box: Box) -> Labels | None:
    """Labels of level 0 as they were read, if they are what they should be.

    Raises
    ------
    UsageError
        If the source gave another shape than asked for.
    LabelValueError
        If a label is negative.
    """
    if labels is None:
        return None
    check_shape(labels, box)
    if labels.dtype.kind == "i" and labels.size and labels.min() < 0:
        raise LabelValueError(
            f"label {labels.min()} in box [{_text(box)}] is negative: relabel it to 0 or above"
        )
    return labels


def check_shape(labels: Labels, box: Box) -> None:
    """Return True if labels have the shape that was asked for.

    Raises
    ------
    UsageError
        If they have not.
    """
    if labels.shape != tuple(b.stop - b.start for b in box):
        raise UsageError(
            f"labels in box [{_text(box)}] came in shape {labels.shape}: the source has changed, open it anew"
        )


def _text(box: Box) -> str:
    return ", ".join(f"{b.start}:{b.stop}" for b in box)
