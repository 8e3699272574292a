"""`SlicedArray`: arrays that are read when they are indexed."""

from __future__ import annotations

import math
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ngffseg.errors import UsageError
from ngffseg.labels.read.array_pieces import read_index


class SlicedArray(ABC):
    """An array that is read when it is indexed, as numpy indexes; for numpy and dask."""

    shape: tuple[int, ...]
    ndim: int
    chunks: tuple[int, ...]
    dtype: np.dtype[Any]

    @abstractmethod
    def read_box(self, box: tuple[slice, ...]) -> npt.NDArray[Any]:
        """Values of a box whose slices have start and stop inside the shape."""

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    def __getitem__(self, index: Any) -> Any:
        """Values that an index of numpy picks; see `read_index` for what is raised."""
        return read_index(self, index)

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[npt.NDArray[Any]]:
        """Values along the first axis, each read when it is its turn."""
        return (self[place] for place in range(len(self)))

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """All values, for numpy.

        Raises
        ------
        UsageError
            If ``copy`` is False: what is read is always a new array.
        """
        if copy is False:
            raise UsageError("an array that is read is a new one: leave copy=False out")
        values: npt.NDArray[Any] = self[...]
        return values if dtype is None else values.astype(dtype, copy=False)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of shape {self.shape}, {self.dtype}, in chunks of {self.chunks}>"

    def __dask_tokenize__(self) -> str:
        """A new one each time: what is read may have changed."""
        return uuid.uuid4().hex
