"""`LabelImage`: a label image as it is stored, read lazily."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from ngffseg.errors import UsageError
from ngffseg.geometry import Geometry
from ngffseg.labels.read.lazy_level import LazyLevel
from ngffseg.labels.read.levels import Levels, check_integers
from ngffseg.model import Segment
from ngffseg.store import store_errors

if TYPE_CHECKING:
    import dask.array as da

BoxLike = Sequence[slice | tuple[int, int]]


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
        Stored array of each level, finest first; opened when it is asked for. Voxels are read by `read`,
        `level` and `levels`, which check them.
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
    arrays: Levels
    segments: tuple[Segment, ...]
    geometry: Geometry
    layers: tuple[str, ...] = ()
    generation: int = 0
    revision: int = 0

    @property
    def levels(self) -> tuple[da.Array, ...]:
        """Levels as lazy dask arrays, finest first, in the chunks that are decoded together.

        Of a shard only the chunks that are looked at are fetched, and from other places than the
        local disk each of them once, as long as 64 MiB of packed chunks hold it.
        """
        return tuple(self.level(number).dask() for number in range(len(self.arrays)))

    def level(self, number: int) -> LazyLevel:
        """A level as an array that is read when it is sliced; see `read` for what is raised."""
        with store_errors(self.url):
            check_integers(self.url, self.arrays[number])
            return self.arrays.lazy(number)

    def read(self, box: BoxLike | None = None, level: int = 0) -> npt.NDArray[Any]:
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
        ChunkError
            If a chunk is damaged.
        StaleError
            If the labels were written again or removed since they were opened; updates of parts of them are
            read as they come.
        """
        if not 0 <= level < len(self.arrays):
            raise UsageError(f"{self.name}: no level {level}: there are {len(self.arrays)}, from 0")
        lazy = self.level(level)
        return lazy.read(exact_box(box, lazy.shape))

    def clear_cache(self) -> None:
        """Forget chunks that were read: they have changed."""
        self.arrays.cache.clear()


def exact_box(box: BoxLike | None, shape: Sequence[int]) -> tuple[slice, ...]:
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
