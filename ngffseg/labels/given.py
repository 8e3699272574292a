"""What people hand in as labels, as an array that the engine reads."""

from __future__ import annotations

from typing import Any

import numpy as np

from ngffseg.errors import LabelValueError, UsageError
from ngffseg.geometry import Geometry
from ngffseg.model import check_told, plain_array, told_grid


def as_array(labels: Any) -> Any:
    """Labels as an array; lists of whole numbers become one, lazy arrays stay lazy.

    Axes of xarray and tensorstore are brought into the order t, c, z, y, x by their names, without a copy.
    """
    if isinstance(labels, list | tuple) and any(map(_holds_array, labels)):
        raise UsageError(
            f"labels are a {type(labels).__name__} of {len(labels)} arrays: join what is one array of more axes by"
            " np.stack; write masks that may overlap by write_segmentation, as Segmentation(layers=...)"
        )
    array = plain_array(labels)
    array = array if hasattr(array, "dtype") and hasattr(array, "shape") else np.asarray(array)
    if np.dtype(array.dtype).kind not in "iu":
        raise LabelValueError(
            f"labels are {array.dtype}, not integers: convert them exactly first, as with .astype('uint32')"
        )
    return array


def given_grid(labels: Any, image: Any, grid: Geometry | None) -> Geometry | None:
    """The grid that was given, else that of which the labels or their image tell by axes and coordinates.

    Raises
    ------
    UsageError
        If what the labels tell is no grid, or contradicts the one that was given.
    """
    found = grid or told_grid(labels) or told_grid(image)
    if found is not None:
        check_told(labels, found)
    return found


def _holds_array(part: Any) -> bool:
    """Whether a member of a list is an array, or a list that holds one; a number is none."""
    if isinstance(part, list | tuple):
        return any(map(_holds_array, part))
    return getattr(part, "shape", ()) != ()
