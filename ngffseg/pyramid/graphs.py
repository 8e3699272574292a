"""What the graph of a dask array tells: which of its tasks would run twice, and how much of it is in memory."""

from __future__ import annotations

from collections.abc import Sequence
from operator import getitem
from typing import Any

import dask.array as da
import numpy as np
from dask.array.core import getter, getter_inline, getter_nofancy
from dask.blockwise import Blockwise
from dask.core import flatten, get_dependencies
from dask.highlevelgraph import MaterializedLayer

from ngffseg.grid import Index
from ngffseg.pyramid.pieces import piece_size
from ngffseg.pyramid.plan import PyramidPlan

# Tasks that take a part of what is there: to run one again costs less than to keep what it gives.
SLICING = (getitem, getter, getter_inline, getter_nofancy)


def shares_tasks(labels: da.Array, plan: PyramidPlan) -> bool:
    """Return True if any task of a dask array, but slicing, is needed by more than one piece of `PieceSource`.

    Of a graph whose blocks depend on nothing but themselves one block is looked at, of others all tasks, each
    about once.
    """
    size = piece_size(plan, [max(map(int, axis)) for axis in labels.chunks])
    if all(n <= s for n, s in zip(labels.shape, size, strict=True)):
        return False
    whole, pieces = _pieces(labels, size)
    if _is_blockwise(labels):
        first = labels.blocks[(0,) * labels.ndim]
        tasks = first.dask.cull(set(flatten(first.__dask_keys__())))  # type: ignore[no-untyped-call]
        return not whole and not all(map(_is_slicing, tasks.values()))
    return _is_shared(dict(labels.dask), pieces)


def held_bytes(labels: da.Array) -> int:
    """Bytes of arrays in memory that a dask array is made of, which would travel with its graph."""
    layers = [layer for layer in labels.dask.layers.values() if isinstance(layer, MaterializedLayer)]
    values = (getattr(value, "value", value) for layer in layers for value in layer.values())
    return sum(value.nbytes for value in values if isinstance(value, np.ndarray))


def _pieces(labels: da.Array, size: Sequence[int]) -> tuple[bool, dict[Any, Index | None]]:
    """The index of the piece that each block lies in, by key; None if a block lies in several."""
    axes = []
    for chunks, step in zip(labels.chunks, size, strict=True):
        ends = np.cumsum(chunks)
        first, last = (ends - chunks) // step, (ends - 1) // step
        axes.append([int(a) if a == b else None for a, b in zip(first, last, strict=True)])
    found: dict[Any, Index | None] = {}
    for index in np.ndindex(*labels.numblocks):
        piece = tuple(axis[i] for axis, i in zip(axes, index, strict=True))
        found[(labels.name, *index)] = None if None in piece else piece
    return None not in found.values(), found


def _is_blockwise(labels: da.Array) -> bool:
    """Return True if each block is made from the blocks at its own index alone, seen from the layers of the graph."""
    layers = labels.dask.layers
    for layer in layers.values():
        if not isinstance(layer, Blockwise):
            if len(layer) > 1:
                return False
            continue
        for name, indices in layer.indices:
            if indices is not None and (
                tuple(indices) != tuple(layer.output_indices)
                or layer.numblocks.get(str(name)) != labels.numblocks
            ):
                return False
    return True


def _is_shared(graph: dict[Any, Any], pieces: dict[Any, Index | None]) -> bool:
    """Return True if a task that is no slicing is needed for blocks of several pieces, or for a block that is in several."""
    owners: dict[Any, Any] = {}
    for block, piece in pieces.items():
        waiting = [block]
        while waiting:
            key = waiting.pop()
            owner = owners.get(key)
            if owner is not None and owner == (piece,):
                continue
            task = graph[key]
            if (owner is not None or piece is None) and not _is_slicing(task):
                return True
            owners[key] = (piece,)
            waiting += [other for other in _dependencies(graph, key, task) if other in graph]
    return False


def _dependencies(graph: dict[Any, Any], key: Any, task: Any) -> Any:
    found = getattr(task, "dependencies", None)
    return get_dependencies(graph, key) if found is None else found


def _is_slicing(task: Any) -> bool:
    """Return True if a task only hands on, or takes a part of, what is there."""
    if isinstance(task, tuple) and task and callable(task[0]):
        return task[0] in SLICING  # as dask wrote tasks before its 2025.1
    call = getattr(task, "func", None)
    return call is None or call in SLICING
