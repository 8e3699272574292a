"""`Counts`: what is known of each label of a part of a volume, and how parts are put together."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.uint64]
LARGEST = np.uint64(2**64 - 1)
# Parts are merged in ranges of labels of about so many rows: memory stays bounded.
ROWS_AT_ONCE = 2**18
HELD_BYTES = 2**25
SAMPLE = 256


@dataclass(frozen=True, slots=True)
class Counts:
    """Labels of a part of a volume, sorted; all arrays uint64.

    Attributes
    ----------
    labels
        Distinct label values, shape (n,).
    voxels
        Number of voxels of each, shape (n,).
    low, high
        First and last index per axis, shape (n, ndim).
    sums
        Sums of the indices of the voxels per axis, shape (n, ndim); 2^64 - 1 where one may not
        fit (only a label of more than 10^14 voxels can get there).
    chunks
        Pairs of label and flat index of a chunk of level 0, sorted, without repetition; (m, 2).
    """

    labels: Numbers
    voxels: Numbers
    low: Numbers
    high: Numbers
    sums: Numbers
    chunks: Numbers

    @property
    def nbytes(self) -> int:
        """Size in memory."""
        return sum(int(getattr(self, field.name).nbytes) for field in fields(self))


def merged(parts: Sequence[Counts], ndim: int) -> Counts:
    """The counts of several parts together."""
    rows = {name: _rows(parts, name, ndim) for name in (field.name for field in fields(Counts))}
    order = np.argsort(rows["labels"], kind="stable")
    labels = rows["labels"][order]
    if not len(labels):
        return Counts(**rows)
    starts = np.flatnonzero(np.concatenate([[True], labels[1:] != labels[:-1]]))
    voxels = np.add.reduceat(rows["voxels"][order], starts)
    high = np.maximum.reduceat(rows["high"][order], starts)
    sums = np.add.reduceat(rows["sums"][order], starts)
    # No sum is more than the voxels times the highest index; floats are only asked whether it fits.
    unsafe = voxels.astype(float)[:, None] * (high.astype(float) + 1) >= 2.0**63
    return Counts(
        labels[starts],
        voxels,
        np.minimum.reduceat(rows["low"][order], starts),
        high,
        np.where(unsafe, LARGEST, sums),
        _distinct(rows["chunks"]),
    )


def _rows(parts: Sequence[Counts], name: str, ndim: int) -> Numbers:
    width = {"labels": (), "voxels": (), "chunks": (2,)}.get(name, (ndim,))
    return np.concatenate([np.empty((0, *width), np.uint64), *(getattr(part, name) for part in parts)])


def _distinct(pairs: Numbers) -> Numbers:
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    keep = np.ones(len(pairs), bool)
    keep[1:] = (pairs[1:] != pairs[:-1]).any(axis=1)
    return pairs[keep]


class Parts:
    """Counts of many blocks. When they grow, they lie sorted in files until they are merged."""

    def __init__(self, ndim: int) -> None:
        self.ndim = ndim
        self.held: list[Counts] = []
        self.files: list[Counts] = []
        self.folder: tempfile.TemporaryDirectory[str] | None = None

    def add(self, counts: Counts) -> None:
        """Take the counts of one block."""
        self.held.append(counts)
        if sum(part.nbytes for part in self.held) > HELD_BYTES:
            self._spill()

    def _spill(self) -> None:
        """Write what is held as one sorted part, and read it again through a memory map."""
        self.folder = self.folder or tempfile.TemporaryDirectory(prefix="ngffseg-")
        part = merged(self.held, self.ndim)
        self.held = []
        mapped: dict[str, Any] = {}
        for field in fields(Counts):
            file = Path(self.folder.name) / f"{len(self.files)}-{field.name}.npy"
            np.save(file, getattr(part, field.name))
            mapped[field.name] = np.load(file, mmap_mode="r")
        self.files.append(Counts(**mapped))

    def merged(self) -> Iterator[Counts]:
        """Counts of all blocks together, in ranges of labels, in order."""
        sorted_parts = [*self.files, *([merged(self.held, self.ndim)] if self.held else [])]
        borders = _borders(sorted_parts)
        for low, high in zip(borders, [*borders[1:], None], strict=True):
            yield merged([_slice(part, low, high) for part in sorted_parts], self.ndim)

    def close(self) -> None:
        """Remove the files."""
        self.files = []
        if self.folder is not None:
            self.folder.cleanup()


def _borders(parts: Sequence[Counts]) -> list[np.uint64]:
    """First labels of ranges that hold about `ROWS_AT_ONCE` rows each, the first of all being 0."""
    rows = sum(len(part.chunks) for part in parts)
    sample = np.sort(np.concatenate([np.empty(0, np.uint64), *(part.chunks[::SAMPLE, 0] for part in parts)]))
    count = rows // ROWS_AT_ONCE
    inner = sample[np.arange(1, count + 1) * len(sample) // (count + 1)] if count else sample[:0]
    return [np.uint64(0), *np.unique(inner[inner > 0])]


def _slice(part: Counts, low: np.uint64, high: np.uint64 | None) -> Counts:
    """The labels of a sorted part from ``low`` to below ``high``."""
    rows, pairs = (
        slice(
            int(np.searchsorted(column, low)),
            len(column) if high is None else int(np.searchsorted(column, high)),
        )
        for column in (part.labels, part.chunks[:, 0])
    )
    taken = {f.name: getattr(part, f.name)[pairs if f.name == "chunks" else rows] for f in fields(Counts)}
    return Counts(**taken)
