"""Where the labels of level 0 come from: memory, a lazy array, or chunks in a store.

A source is read tile by tile, in the order in which the tiles of a block are needed. A lazy array
is computed in larger pieces, each of which serves several tiles.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from typing import Any, Protocol, TypeGuard

import numpy as np
import numpy.typing as npt
from dask.base import is_dask_collection

from ngffseg.errors import LabelValueError, UsageError
from ngffseg.pyramid.plan import PyramidPlan

Labels = npt.NDArray[Any]
Box = tuple[slice, ...]
# A piece of a lazy array: enough work to be worth a call, small enough for every thread to hold.
SMALL_PIECE = 2**21
LARGE_PIECE = 2**24


class Source(Protocol):
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


def is_source(labels: object) -> TypeGuard[Source]:
    """Whether labels are read chunk by chunk already."""
    return hasattr(labels, "read") and hasattr(labels, "occupied")


def as_source(labels: Any, plan: PyramidPlan) -> Source:
    """Labels that were handed in, as a source of the tiles of a plan.

    Raises
    ------
    UsageError
        If their shape is not that of the plan.
    """
    shape = plan.levels[0].shape
    if tuple(labels.shape) != shape:
        raise UsageError(f"labels of shape {tuple(labels.shape)}: the plan is for {shape}")
    if is_source(labels):
        return labels if _fits(labels, plan) else PieceSource(labels, plan, labels.chunks)
    if isinstance(labels, np.ndarray):
        return MemorySource(labels, plan)
    chunks = getattr(labels, "chunksize", getattr(labels, "chunks", None)) or (1,) * len(shape)
    return PieceSource(labels, plan, chunks)


def _fits(source: Source, plan: PyramidPlan) -> bool:
    """Whether a tile needs no part of a chunk that another tile needs too."""
    level = plan.levels[0]
    if plan.passes[0].source is not None:
        return True  # its own chunks are the tiles
    return all(t % c == 0 or t >= n for t, c, n in zip(level.chunks, source.chunks, level.shape, strict=True))


class MemorySource:
    """An array in memory: tiles are views, or copies where views are not contiguous."""

    def __init__(self, labels: Labels, plan: PyramidPlan) -> None:
        self.labels, self.dtype = labels, plan.dtype
        self.chunks = self.unit = plan.levels[0].chunks

    def read(self, box: Box, out: Labels) -> Labels:
        """Labels of a box."""
        view = self.labels[box]
        if view.flags.c_contiguous and view.dtype == self.dtype:
            return view
        tile = out[: view.size].reshape(view.shape)
        np.copyto(tile, view)
        return tile

    def occupied(self) -> None:
        """Nobody knows without looking."""

    def encoded_for(self, target: object) -> None:
        """Arrays in memory are not encoded."""


class PieceSource:
    """A lazy array, read in pieces of several tiles; each thread keeps the last one."""

    def __init__(self, labels: Any, plan: PyramidPlan, chunks: Sequence[int]) -> None:
        self.labels, self.dtype = labels, plan.dtype
        self.chunks = self.unit = plan.levels[0].chunks
        self.piece = piece_shape(plan, chunks)
        self.shape = plan.levels[0].shape
        self.local = threading.local()

    def read(self, box: Box, out: Labels) -> Labels | None:  # noqa: ARG002
        """Labels of a box, from the piece that holds it."""
        starts = tuple(b.start // p * p for b, p in zip(box, self.piece, strict=True))
        if any(b.stop > s + p for b, s, p in zip(box, starts, self.piece, strict=True)):
            return self._fetch(box)  # windows that do not fit into chunks reach over pieces
        if getattr(self.local, "starts", None) != starts:
            self.local.starts = self.local.data = None  # two pieces are never held at once
            around = tuple(
                slice(s, min(s + p, n)) for s, p, n in zip(starts, self.piece, self.shape, strict=True)
            )
            self.local.data = self._fetch(around)
            self.local.starts = starts
        if self.local.data is None:
            return None
        inside = tuple(slice(b.start - s, b.stop - s) for b, s in zip(box, starts, strict=True))
        return np.ascontiguousarray(self.local.data[inside])

    def _fetch(self, box: Box) -> Labels | None:
        if is_source(self.labels):
            return self.labels.read(box, np.empty(math.prod(self.labels.chunks), self.dtype))
        piece = self.labels[box]
        if is_dask_collection(piece):
            # This thread is the worker: no second pool under it.
            piece = piece.compute(scheduler="synchronous")
        found = np.asarray(piece)
        if not np.can_cast(found.dtype, self.dtype, "equiv"):
            raise LabelValueError(
                f"labels came as {found.dtype} instead of {self.dtype}: convert them exactly"
            )
        _check_shape(found, box)
        return np.asarray(found, dtype=self.dtype)

    def occupied(self) -> None:
        """Nobody knows without computing."""

    def encoded_for(self, target: object) -> None:
        """What was computed is not encoded."""

    def __getstate__(self) -> dict[str, Any]:
        """All but what a thread keeps for itself."""
        return {k: v for k, v in self.__dict__.items() if k != "local"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, local=threading.local())


def piece_shape(plan: PyramidPlan, chunks: Sequence[int]) -> tuple[int, ...]:
    """Voxels of level 0 under one tile of the lowest level whose tile spans a chunk of the source.

    The tiles under such a tile are visited one after another, so that a piece is read once.
    """
    shape = plan.levels[0].shape
    best = plan.levels[0].chunks
    for number in plan.passes[0].targets:
        window = plan.window(0, number)
        spans = tuple(
            min(c * w, n) for c, w, n in zip(plan.levels[number].chunks, window, shape, strict=True)
        )
        if math.prod(spans) > LARGE_PIECE:
            break
        best = spans
        enough = math.prod(spans) >= min(SMALL_PIECE, math.prod(shape))
        if enough and all(s >= min(c, n) for s, c, n in zip(spans, chunks, shape, strict=True)):
            break
    return best


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
    _check_shape(labels, box)
    if labels.dtype.kind == "i" and labels.size and labels.min() < 0:
        raise LabelValueError(
            f"label {labels.min()} in box [{_text(box)}] is negative: relabel it to 0 or above"
        )
    return labels


def _check_shape(labels: Labels, box: Box) -> None:
    if labels.shape != tuple(b.stop - b.start for b in box):
        raise UsageError(
            f"labels in box [{_text(box)}] came in shape {labels.shape}: the source has changed, open it anew"
        )


def _text(box: Box) -> str:
    return ", ".join(f"{b.start}:{b.stop}" for b in box)
