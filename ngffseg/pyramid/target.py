"""Where levels go: encoded tiles are collected until an object is complete, then it is written."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

import numpy as np

from ngffseg.grid import Index, Labels
from ngffseg.pyramid.plan import Level
from ngffseg.pyramid.source import LabelSource


class Target(LabelSource, Protocol):
    """A stored level, written object by object; `ngffseg.chunks.StoredLabels` is one."""

    def encode(self, labels: Labels) -> Any:
        """One chunk, cut by the edge of the level or whole, in the form that `put` takes."""

    def put(self, unit: Index, parts: Mapping[Index, Any]) -> Future[Any] | None:
        """Write one object from its encoded chunks, by position in it.

        It may be on its way for a while: then what is returned is done when it is written.
        """

    def flush(self) -> None:
        """Wait until all that was put is written."""


class ArrayTarget:
    """Any array that takes boxes, as a target; numpy and zarr arrays do."""

    def __init__(self, array: Any, level: Level) -> None:
        self.array, self.level = array, level
        self.chunks, self.unit = level.chunks, level.unit

    def read(self, box: tuple[slice, ...], out: Labels) -> Labels:  # noqa: ARG002
        """Labels of a box."""
        return np.ascontiguousarray(self.array[box])

    def occupied(self) -> None:
        """Arrays do not tell."""

    def encoded_for(self, target: object) -> None:
        """Arrays are not encoded."""

    def encode(self, labels: Labels) -> Labels:
        """The chunk itself; buffers are used again, so a copy."""
        return labels.copy()

    def put(self, unit: Index, parts: Mapping[Index, Labels]) -> None:
        """Write a whole unit at once."""
        starts = [i * u for i, u in zip(unit, self.unit, strict=True)]
        stops = [min(s + u, n) for s, u, n in zip(starts, self.unit, self.level.shape, strict=True)]
        size = [b - a for a, b in zip(starts, stops, strict=True)]
        whole = np.zeros(size, next(iter(parts.values())).dtype)
        for position, labels in parts.items():
            at = [p * c for p, c in zip(position, self.chunks, strict=True)]
            whole[tuple(slice(a, a + n) for a, n in zip(at, labels.shape, strict=True))] = labels
        self.array[tuple(slice(a, b) for a, b in zip(starts, stops, strict=True))] = whole

    def flush(self) -> None:
        """All is written when `put` returns."""


class UnitWriter:
    """Collects the encoded tiles of one level within a block.

    An object is written as soon as all its tiles have been seen, so that few are open at once and
    only their encoded bytes are held.
    """

    def __init__(self, target: Target, level: Level, wanted: Iterable[Index] | None) -> None:
        self.target = target
        self.per_unit = tuple(u // c for u, c in zip(level.unit, level.chunks, strict=True))
        self.grid = tuple(-(-n // c) for n, c in zip(level.shape, level.chunks, strict=True))
        self.pending: list[Future[Any]] = []
        self.parts: dict[Index, dict[Index, Any]] = {}
        self.missing: Counter[Index] = Counter()
        self.counted = wanted is not None
        if wanted is not None:
            self.missing.update(self._unit(index) for index in wanted)

    def _unit(self, index: Sequence[int]) -> Index:
        return tuple(i // n for i, n in zip(index, self.per_unit, strict=True))

    def put(self, index: Index, labels: Labels | None, encoded: Any = None) -> None:
        """Take a tile, None where it is background; each tile comes exactly once.

        ``encoded`` is the tile as it is stored elsewhere in the same form: it is not encoded again.
        """
        unit = self._unit(index)
        if labels is not None:
            position = tuple(i % n for i, n in zip(index, self.per_unit, strict=True))
            self.parts.setdefault(unit, {})[position] = (
                self.target.encode(labels) if encoded is None else encoded
            )
        if not self.counted and unit not in self.missing:
            self.missing[unit] = math.prod(
                min(n, g - u * n) for u, n, g in zip(unit, self.per_unit, self.grid, strict=True)
            )
        self.missing[unit] -= 1
        if not self.missing[unit]:
            del self.missing[unit]
            # An object without any part is all background: the fill value says so.
            parts = self.parts.pop(unit, None)
            if parts is not None:
                writing = self.target.put(unit, parts)
                if writing is not None:
                    self.pending.append(writing)

    def settle(self) -> None:
        """Wait until all objects are written; raises what became of them."""
        for writing in self.pending:
            writing.result()
