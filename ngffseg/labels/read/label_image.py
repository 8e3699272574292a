"""`LabelImage`: a label image as it is stored, read lazily."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ngffseg.errors import UsageError
from ngffseg.geometry import Geometry
from ngffseg.grid.exact_box import BoxLike, exact_box
from ngffseg.labels.read.image_summary import Summary, html_summary, text_summary
from ngffseg.labels.read.lazy_level import LazyLevel
from ngffseg.labels.read.levels import Levels, check_integers
from ngffseg.model import Segment
from ngffseg.store import store_errors

if TYPE_CHECKING:
    import dask.array as da


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LabelImage:
    """A stored label image, which behaves as an array of its level 0; nothing is read before it is asked for.

    ``image[10:20, ..., 5]`` reads the chunks that the index touches, with all kinds of indices of numpy;
    ``numpy.asarray(image)`` reads all of level 0, ``image.level(2)[...]`` all of level 2. Labels come in the stored
    dtype.

    Parameters
    ----------
    url
        Address of the store.
    name
        Name under ``labels``; empty for a label image at the root of the store.
    _arrays
        Stored array of each level, finest first; opened when it is asked for. Voxels are read by `level`,
        which checks them.
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
    _arrays: Levels
    segments: tuple[Segment, ...]
    geometry: Geometry
    layers: tuple[str, ...] = ()
    generation: int = 0
    revision: int = 0

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of voxels along each axis of level 0."""
        return self._arrays[0].shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of voxels of level 0."""
        return math.prod(self.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the labels, in the byte order of this machine."""
        return self._arrays[0].dtype.newbyteorder("=")

    @property
    def chunks(self) -> tuple[int, ...]:
        """Voxels along each axis of level 0 that are decoded together."""
        return self._arrays[0].chunks

    @property
    def levels(self) -> tuple[da.Array, ...]:
        """Levels as lazy dask arrays, finest first, in the chunks that are decoded together.

        Of a shard only the chunks that are looked at are fetched, and from other places than the
        local disk each of them once, as long as 64 MiB of packed chunks hold it.
        """
        return tuple(self.level(number).dask() for number in range(len(self._arrays)))

    def __getitem__(self, index: Any) -> Any:
        """Labels of level 0 that an index of numpy picks; only the chunks that it touches are read.

        Returns
        -------
        numpy.ndarray or numpy.generic
            New labels in the stored dtype; a single one where the index is an integer for each axis.

        Raises
        ------
        IndexError
            If the index does not fit the shape, or is none.
        ChunkError, StaleError
            As `read`.
        """
        return self.level(0)[index]

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[npt.NDArray[Any]]:
        """Labels along the first axis, each read when it is its turn."""
        return iter(self.level(0))

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """All labels of level 0, for numpy; ``copy=False`` is refused, since what is read is a new array."""
        return self.level(0).__array__(dtype, copy)

    def __dask_tokenize__(self) -> str:
        """A new one each time: what is read may have changed."""
        return self.level(0).__dask_tokenize__()

    def __repr__(self) -> str:
        return text_summary(self._summary())

    def _repr_html_(self) -> str:
        """What notebooks show."""
        return html_summary(self._summary())

    def _summary(self) -> Summary:
        level0 = self._arrays[0]  # the only one that is always open
        return Summary(
            title=f"{self.name!r} of {self.url}" if self.name else self.url,
            shape=self.shape,
            geometry=self.geometry,
            dtype=str(self.dtype),
            chunks=level0.chunks,
            shards=level0.shards,
            level_count=len(self._arrays),
            layer_count=len(self.layers),
            segments=self.segments,
        )

    def level(self, number: int) -> LazyLevel:
        """A level as an array that is read when it is indexed; 0 is the finest.

        Raises
        ------
        UsageError
            If there is no such level.
        MetadataError
            If it holds no integers, or its array is missing.
        """
        try:
            wanted = operator.index(number)
        except TypeError:
            raise UsageError(f"a level is a {type(number).__name__}: give a whole number from 0") from None
        if not 0 <= wanted < len(self._arrays):
            raise UsageError(f"{self.name}: no level {wanted}: there are {len(self._arrays)}, from 0")
        with store_errors(self.url):
            check_integers(self.url, self._arrays[wanted])
            return self._arrays.lazy(wanted)

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
        lazy = self.level(level)
        return lazy.read_box(exact_box(box, lazy.shape))

    def clear_cache(self) -> None:
        """Forget chunks that were read: they have changed."""
        self._arrays.cache.clear()
