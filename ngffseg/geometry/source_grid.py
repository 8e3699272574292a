"""`SourceGrid`: the grid that an array had in its source, before its axes were put into another order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ngffseg.geometry.axes import on_axes
from ngffseg.geometry.grid import Geometry
from ngffseg.geometry.order import TOLERANCE, Order, identity_order, match, reordered


@dataclass(frozen=True, slots=True)
class SourceGrid:
    """The grid of a source, and the order in which its array is held now.

    Parameters
    ----------
    geometry
        The grid, as exactly as the source told it: an origin that is flipped there and back may change its
        last bit.
    order
        ``order.apply(source)`` is the array that is held; ``order.inverse`` leads back, of boxes too.
    """

    geometry: Geometry
    order: Order

    def leads_to(self, grid: Geometry) -> bool:
        """Return True if an array of the source in this order lies on a grid, but for what files round."""
        if grid.axes != self.geometry.axes or grid.shape != self.order.shape(self.geometry.shape):
            return False
        try:
            with np.errstate(all="ignore"):
                found = match(reordered(self.geometry, self.order), grid)
        except (
            ValueError,
            OverflowError,
        ):  # documents of others may tell numbers that nothing can be made of
            return False
        return found.order.is_identity and not any(found.offset) and found.error <= 2 * TOLERANCE


def source_after(geometry: Geometry, source: SourceGrid | None, order: Order) -> SourceGrid:
    """The source grid of an array that is put into another order; its own grid is that of the source where it had none."""
    known = source or SourceGrid(geometry, identity_order(len(geometry.axes)))
    return SourceGrid(known.geometry, known.order.then(order))


def source_on_axes(source: SourceGrid | None, axes: Sequence[str]) -> SourceGrid | None:
    """The source grid of an array that has only some of the axes; None where one that it lacks has moved."""
    if source is None:
        return None
    order = source.order.on_axes([source.geometry.axes.index(axis) for axis in axes])
    return SourceGrid(on_axes(source.geometry, axes), order) if order is not None else None


def in_order(
    geometry: Geometry, source: SourceGrid | None, order: Order
) -> tuple[Geometry, SourceGrid | None]:
    """Grid and source grid of an array that is put into another order; None where it is that of the source again.

    Parameters
    ----------
    geometry, source
        Of the array as it is.
    order
        What is done to it.
    """
    if order.is_identity:
        return geometry, source
    found = source_after(geometry, source, order)
    if found.order.is_identity:
        return found.geometry, None
    return reordered(found.geometry, found.order), found
