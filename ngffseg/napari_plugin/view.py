"""`LevelView`: a level as napari slices it, read when values are wanted and not before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ngffseg.labels import bounding_box

Values = npt.NDArray[Any]
Box = tuple[slice, ...]


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
    fixed
        Index on axes that the view does not have (channels).
    box
        What of the other axes it shows; all by default.
    """

    def __init__(
        self,
        read: Callable[[Box], Values],
        shape: Sequence[int],
        dtype: npt.DTypeLike,
        fixed: Mapping[int, int] | None = None,
        box: Box | None = None,
    ) -> None:
        self._read, self._stored, self._fixed = read, tuple(shape), dict(fixed or {})
        free = [n for axis, n in enumerate(shape) if axis not in self._fixed]
        self._box = box or tuple(slice(0, n) for n in free)
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
            return LevelView(self._read, self._stored, self.dtype, self._fixed, inside)
        return self._values(inside)[rest]

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Values:
        """The values, for numpy; always a new array."""
        values = self._values(self._box)
        return values if dtype is None else values.astype(dtype, copy=False)

    def _values(self, box: Box) -> Values:
        return self._read(whole_box(box, self._fixed)).reshape([part.stop - part.start for part in box])


def whole_box(box: Box, fixed: Mapping[int, int]) -> Box:
    """A box with the axes that a view does not have."""
    rest = iter(box)
    count = len(box) + len(fixed)
    return tuple(slice(fixed[a], fixed[a] + 1) if a in fixed else next(rest) for a in range(count))
