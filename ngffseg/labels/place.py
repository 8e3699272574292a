"""Where labels lie that came as an array."""

from __future__ import annotations

import os

from ngffseg.errors import UsageError
from ngffseg.geometry import Geometry, identity
from ngffseg.labels.address import split_address
from ngffseg.labels.open import open_image
from ngffseg.labels.parent import find_parent
from ngffseg.store import open_store, store_errors


def grid_of_store(url: str | os.PathLike[str], shape: tuple[int, ...]) -> Geometry:
    """Grid for labels that came without one: that of the image of the store, else unit voxels.

    Raises
    ------
    UsageError
        If the image has another shape, so that nobody can tell where the labels lie.
    """
    address, _ = split_address(url)
    with store_errors(address):
        parent = find_parent(open_store(address), address)
        if parent is None or parent.multiscales is None:
            return identity(shape)
        grid = open_image(address).geometry
    if grid.shape != tuple(shape):
        raise UsageError(
            f"labels of shape {tuple(shape)} do not fit the image {grid.shape} of {address}: give their geometry"
        )
    return grid
