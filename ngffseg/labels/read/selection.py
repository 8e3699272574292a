"""`Selection`: some objects of a stored array, as if there were no others."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ngffseg.chunks import StoredLabels
from ngffseg.grid import Labels


class Selection:
    """A source of labels of which only some objects are looked at.

    Parameters
    ----------
    stored
        The array.
    objects
        Indices of the objects, shape (n, ndim).
    """

    def __init__(self, stored: StoredLabels, objects: npt.NDArray[np.int64]) -> None:
        self.stored, self.objects = stored, objects
        self.shape, self.dtype = stored.shape, stored.dtype
        self.chunks, self.unit = stored.chunks, stored.unit

    def read(self, box: tuple[slice, ...], out: Labels) -> Labels | None:
        """Labels of a box."""
        return self.stored.read(box, out)

    def occupied(self) -> npt.NDArray[np.int64]:
        """Indices of the objects."""
        return self.objects

    def encoded_for(self, target: object) -> None:
        """Nothing is written from it."""

    def flush(self) -> None:
        """Nothing is written to it."""
