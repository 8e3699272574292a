"""`LabelImage`: a label image as it is stored, read lazily."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import dask.array as da
import numpy.typing as npt
import zarr

from ngffseg.chunks import Cache
from ngffseg.errors import UsageError
from ngffseg.geometry import Geometry
from ngffseg.labels.lazy import LazyLevel
from ngffseg.labels.levels import check_integers
from ngffseg.model import Segment
from ngffseg.store import store_errors

Box = Sequence[slice | tuple[int, int]]


@dataclass(frozen=True, slots=True, eq=False)
class LabelImage:
    """A stored label image; nothing is read before it is asked for.

    Parameters
    ----------
    url
        Address of the store.
    name
        Name under ``labels``; empty for a label image at the root of the store.
    arrays
        Stored array of each level, finest first; opened when it is asked for.
    segments
        The segments whose voxels it holds.
    geometry
        Grid of level 0.
    layers
        Names of the label images that make up the segmentation, this one among them. More than
        one where segments overlap.
    generation, revision
        How often it has been written, and parts of it updated since, when it was opened.
    """

    url: str
    name: str
    arrays: Sequence[zarr.Array[Any]]
    segments: tuple[Segment, ...]
    geometry: Geometry
    layers: tuple[str, ...] = ()
    generation: int = 0
    revision: int = 0
    _cache: Cache = field(default_factory=Cache, repr=False)

    @property
    def levels(self) -> tuple[da.Array, ...]:
        """Levels as lazy dask arrays, finest first, in the chunks that are decoded together.

        Of a shard only the chunks that are looked at are fetched, and from other places than the
        local disk each of them once, as long as 64 MiB of packed chunks hold it.
        """
        return tuple(self._lazy(array).dask() for array in self.arrays)

    def read(self, box: Box | None = None, level: int = 0) -> npt.NDArray[Any]:
        """Labels of a box of a level; only the chunks that it touches are read.

        Parameters
        ----------
        box
            Per axis a slice or a pair (start, stop) of voxels of that level; None for all of it.
        level
            0 is the finest.

        Returns
        -------
        numpy.ndarray
            Labels in the stored dtype.

        Raises
        ------
        UsageError
            If the box does not lie inside the level, or there is no such level.
        """
        if not 0 <= level < len(self.arrays):
            raise UsageError(f"{self.name}: no level {level}: there are {len(self.arrays)}, from 0")
        with store_errors(self.url):
            array = self.arrays[level]
            return self._lazy(array).read(exact_box(box, array.shape))

    def _lazy(self, array: zarr.Array[Any]) -> LazyLevel:
        check_integers(self.url, array)
        return LazyLevel(self.url, array, self._cache)

    def forget(self) -> None:
        """Forget chunks that were read: they have changed."""
        self._cache.clear()


def exact_box(box: Box | None, shape: Sequence[int]) -> tuple[slice, ...]:
    """The box as slices with start and stop inside the shape.

    Raises
    ------
    UsageError
        If it has another number of axes, a step, or leaves the shape.
    """
    if box is None:
        return tuple(slice(0, n) for n in shape)
    if len(box) != len(shape):
        raise UsageError(f"box {box} has {len(box)} axes, the image {len(shape)}: give one range per axis")
    return tuple(_exact_range(part, n) for part, n in zip(box, shape, strict=True))


def _exact_range(part: slice | tuple[int, int], size: int) -> slice:
    start, stop, step = (part.start, part.stop, part.step) if isinstance(part, slice) else (*part, None)
    start = 0 if start is None else operator.index(start)
    stop = size if stop is None else operator.index(stop)
    if step not in (None, 1) or not 0 <= start <= stop <= size:
        raise UsageError(
            f"range {start}:{stop} does not lie in 0:{size}: give start and stop inside it, and no step"
        )
    return slice(start, stop)
