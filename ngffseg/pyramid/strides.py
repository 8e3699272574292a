"""Views whose axes count down or are transposed, brought close before they are copied."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

# Bytes between planes, so that what lies along the slowest axis does not share lines of the cache.
LINE = 64


def gathered(view: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The view, or the same values close by where its last axis is not the one that lies together in memory.

    A tile of a flipped or transposed volume is copied in the order of the memory first, then turned in the
    cache. Measured on tiles of 64³: 1.2 to 1.9 instead of 2 to 8 ns per voxel where axes are transposed, 0.7
    to 1.2 instead of 1.2 to 2.7 where the last one is flipped.
    """
    if view.strides[-1] == view.itemsize or view.size < LINE:
        return view
    order = sorted(range(view.ndim), key=lambda axis: -abs(view.strides[axis]))
    turned = view.transpose(order)
    down = tuple(slice(None, None, -1 if step < 0 else 1) for step in turned.strides)
    shape, item = turned.shape, view.itemsize
    strides = [item * math.prod(shape[axis + 1 :]) for axis in range(view.ndim)]
    strides[0] += LINE
    near: npt.NDArray[Any] = np.ndarray(
        shape, view.dtype, np.empty(strides[0] * shape[0], np.uint8), strides=strides
    )
    np.copyto(near, turned[down])
    return near[down].transpose(np.argsort(order))
