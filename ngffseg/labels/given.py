"""What people hand in as labels, as an array that the engine reads."""

from __future__ import annotations

from typing import Any

import numpy as np

from ngffseg.errors import LabelValueError, UsageError


def as_array(labels: Any) -> Any:
    """Labels as an array; lists of whole numbers become one, lazy arrays stay lazy."""
    if isinstance(labels, list | tuple) and any(map(_holds_array, labels)):
        raise UsageError(
            f"labels are a {type(labels).__name__} of {len(labels)} arrays: join what is one array of more axes by"
            " np.stack; write masks that may overlap by write_segmentation, as Segmentation(layers=...)"
        )
    array = labels if hasattr(labels, "dtype") and hasattr(labels, "shape") else np.asarray(labels)
    if np.dtype(array.dtype).kind not in "iu":
        raise LabelValueError(
            f"labels are {array.dtype}, not integers: convert them exactly first, as with .astype('uint32')"
        )
    return array


def _holds_array(part: Any) -> bool:
    """Whether a member of a list is an array, or a list that holds one; a number is none."""
    if isinstance(part, list | tuple):
        return any(map(_holds_array, part))
    return getattr(part, "shape", ()) != ()
