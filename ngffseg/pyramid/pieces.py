"""A lazy array as a source: computed in larger pieces, each of which serves several tiles."""

from __future__ import annotations

import math
import threading
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

from ngffseg.dask_arrays import computed
from ngffseg.errors import LabelValueError
from ngffseg.grid import Box, Index, Labels
from ngffseg.pyramid.plan import PyramidPlan
from ngffseg.pyramid.source import check_shape, is_source
from ngffseg.pyramid.strides import gathered

# A piece: enough work to be worth a call, small enough for every thread to hold one.
SMALL_PIECE = 2**21
LARGE_PIECE = 2**24


class Piece:
    """A part of the array, computed by the first thread that needs it; the others wait."""

    def __init__(self) -> None:
        self.lock, self.known = threading.Lock(), False
        self.labels: Labels | None = None


class PieceSource:
    """A lazy array, read in pieces; each thread keeps the last one, and threads share what they keep."""

    def __init__(self, labels: Any, plan: PyramidPlan, chunks: Sequence[int]) -> None:
        self.labels, self.dtype = labels, plan.dtype
        self.chunks = self.unit = plan.levels[0].chunks
        self.size = piece_size(plan, chunks)
        self.shape = plan.levels[0].shape
        self._begin()

    def _begin(self) -> None:
        self.local, self.lock = threading.local(), threading.Lock()
        # A piece is forgotten when no thread keeps it any more.
        self.pieces: weakref.WeakValueDictionary[Index, Piece] = weakref.WeakValueDictionary()

    def __getstate__(self) -> dict[str, Any]:
        """All but the pieces of this process."""
        return {k: v for k, v in self.__dict__.items() if k not in ("local", "lock", "pieces")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._begin()

    def read(self, box: Box, out: Labels) -> Labels | None:  # noqa: ARG002
        """Labels of a box, from the piece that holds it."""
        starts = tuple(b.start // p * p for b, p in zip(box, self.size, strict=True))
        if any(b.stop > s + p for b, s, p in zip(box, starts, self.size, strict=True)):
            return self._fetch(box)  # windows that do not fit into chunks reach over pieces
        labels = self._piece(starts)
        if labels is None:
            return None
        inside = tuple(slice(b.start - s, b.stop - s) for b, s in zip(box, starts, strict=True))
        return np.ascontiguousarray(gathered(labels[inside]))

    def _piece(self, starts: Index) -> Labels | None:
        if getattr(self.local, "starts", None) != starts:
            self.local.piece = None  # a thread never keeps two
            with self.lock:
                self.local.piece = self.pieces.setdefault(starts, Piece())
            self.local.starts = starts
        piece: Piece = self.local.piece
        with piece.lock:
            if not piece.known:
                ends = (min(s + p, n) for s, p, n in zip(starts, self.size, self.shape, strict=True))
                piece.labels = self._fetch(tuple(map(slice, starts, ends)))
                piece.known = True
        return piece.labels

    def _fetch(self, box: Box) -> Labels | None:
        if is_source(self.labels):
            return self.labels.read(box, np.empty(math.prod(self.labels.chunks), self.dtype))
        return exact_labels(computed([self.labels[box]])[0], self.dtype, box)

    def occupied(self) -> None:
        """Nobody knows without computing."""

    def encoded_for(self, target: object) -> None:
        """What was computed is not encoded."""


def exact_labels(labels: Any, dtype: np.dtype[Any], box: Box) -> Labels:
    """Labels of a box that were computed, in memory and in the byte order of this machine.

    Raises
    ------
    UsageError, LabelValueError
        If they have another shape or dtype than the array had told.
    """
    found = np.asarray(labels)
    if not np.can_cast(found.dtype, dtype, "equiv"):
        raise LabelValueError(f"labels came as {found.dtype} instead of {dtype}: convert them exactly")
    check_shape(found, box)
    return np.asarray(found, dtype=dtype)


def piece_size(plan: PyramidPlan, chunks: Sequence[int]) -> tuple[int, ...]:
    """Voxels per axis of a piece, so that chunks of the source are computed once.

    Tiles are visited along a Morton curve, so a piece is the part of level 0 under a tile of some
    level, or under two, four, eight of the highest along an axis.
    """
    shape = plan.levels[0].shape
    spans = [
        tuple(c * w for c, w in zip(plan.levels[n].chunks, plan.window(0, n), strict=True))
        for n in plan.passes[0].targets or (0,)
    ]
    best = spans[0]
    while True:
        small = math.prod(map(min, best, shape)) < min(SMALL_PIECE, math.prod(shape))
        short = [s < min(c, n) for s, c, n in zip(best, chunks, shape, strict=True)]
        if not small and not any(short):
            return best
        larger = [s for s in spans if math.prod(s) > math.prod(best)]
        doubled = tuple(
            2 * s if s < n and (few or small) else s for s, n, few in zip(best, shape, short, strict=True)
        )
        wider = larger[0] if larger else doubled
        if wider == best or math.prod(map(min, wider, shape)) > LARGE_PIECE:
            return best
        best = wider
