"""What people hand in as labels, as an array that the engine reads."""

from __future__ import annotations

from typing import Any

import numpy as np

from ngffseg.dask_arrays import is_dask_array
from ngffseg.errors import LabelValueError, UsageError
from ngffseg.labels.arrays.mask_layer import MaskLayer
from ngffseg.model import plain_array


def as_array(labels: Any) -> Any:
    """Labels as an array; lists of whole numbers become one, lazy arrays stay lazy, truth values are a mask of value 1.

    Axes of xarray and tensorstore are brought into the order t, c, z, y, x by their names, without a copy.
    """
    if isinstance(labels, list | tuple) and any(map(_holds_array, labels)):
        raise UsageError(
            f"labels are a {type(labels).__name__} of {len(labels)} arrays: join what is one array of more axes by"
            " np.stack; give masks that may overlap as masks={name: mask}, layers as Segmentation(layers=...)"
        )
    array = plain_array(labels)
    array = array if hasattr(array, "dtype") and hasattr(array, "shape") else np.asarray(array)
    if np.dtype(array.dtype) == bool:
        return _as_mask(array)
    if np.dtype(array.dtype).kind not in "iu":
        raise LabelValueError(
            f"labels are {array.dtype}, not integers: convert them exactly first, as with .astype('uint32')"
        )
    return array


def _as_mask(array: Any) -> Any:
    """Truth values as labels 0 and 1, not yet computed; what dask makes keeps its name, by which a later run knows it."""
    if is_dask_array(array):
        return array.astype(np.uint8)  # type: ignore[no-untyped-call]
    return MaskLayer({0: array}, {0: 1})


def _holds_array(part: Any) -> bool:
    """Return True if a member of a list is an array, or a list that holds one; a number is none."""
    if isinstance(part, list | tuple):
        return any(map(_holds_array, part))
    return getattr(part, "shape", ()) != ()
