"""Labels of a file must be exact: integers, and none of them negative."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ngffseg.errors import Hint, LabelValueError

AS_IMAGE = Hint("give as image")


def exact_labels(labels: npt.NDArray[Any], file: str) -> npt.NDArray[Any]:
    """The labels, if they can be stored as they are.

    Raises
    ------
    LabelValueError
        If they are floats (a float above 2^53 is no exact label) or one is negative.
    """
    if labels.dtype.kind not in "iu":
        raise LabelValueError(
            f"{file} holds {labels.dtype}, but labels are integers: it looks like an image: give it {AS_IMAGE}, or"
            " convert it exactly first",
            hints=[AS_IMAGE],
        )
    if labels.dtype.kind == "i" and labels.min() < 0:
        raise LabelValueError(
            f"{file} holds {labels.min()}, but labels are not negative: it looks like an image: give it {AS_IMAGE},"
            " or relabel it",
            hints=[AS_IMAGE],
        )
    return labels


def holds(dtype: np.dtype[Any], label_value: int) -> bool:
    """Return True if labels of a dtype can have this value."""
    return label_value <= np.iinfo(dtype).max
