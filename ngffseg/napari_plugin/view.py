"""`LevelView`: a level as napari slices it, read when values are wanted and not before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ngffseg.grid import Box
from ngffseg.labels import bounding_box
from ngffseg.napari_plugin.axes import LayerAxes, Values


class LevelView:
    """A level, or a box of it, as an array that is read in one go when it is indexed or asked for.

    napari first cuts out what is in view and then the plane; only then all is known that one read needs.
    A slice of slices with step 1 is therefore another view, and nothing is read. Dask would read each
    piece by itself.

    Parameters
    ----------
    read
        Values of a box of the stored level.
    shape, dtype
        Of the stored level.
    axes
        Which axes the view has; all of the level by default.
    box
        What of them it shows; all by default.
    """

    def __init__(
        self,
        read: Callable[[Box], Values],
        shape: Sequence[int],
        dtype: npt.DTypeLike,
        axes: LayerAxes | None = None,
        box: Box | None = None,
    ) -> None:
        self._read, self._stored, self._axes = read, tuple(shape), axes
        sizes = self._stored if axes is None else axes.along(self._stored, 1)
        self._box = box or tuple(slice(0, n) for n in sizes)
        self.dtype: np.dtype[Any] = np.dtype(dtype).newbyteorder("=")
        self.shape: tuple[int, ...] = tuple(part.stop - part.start for part in self._box)
        self.ndim = len(self.shape)

    @property
    def size(self) -> int:
        """Number of values."""
        return int(np.prod(self.shape, dtype=np.int64))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> Any:
        parts = index if isinstance(index, tuple) else (index,)
        box, rest = bounding_box(index, self.shape)
        inside = tuple(
            slice(p.start + b.start, p.start + b.stop) for p, b in zip(self._box, box, strict=True)
        )
        if all(part is Ellipsis or (isinstance(part, slice) and part.step in (None, 1)) for part in parts):
            return LevelView(self._read, self._stored, self.dtype, self._axes, inside)
        return self._values(inside)[rest]

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Values:
        """The values, for numpy; always a new array."""
        values = self._values(self._box)
        return values if dtype is None else values.astype(dtype, copy=False)

    def _values(self, box: Box) -> Values:
        if self._axes is None:
            return self._read(box)
        return self._axes.seen(self._read(self._axes.stored_box(box)), box)
