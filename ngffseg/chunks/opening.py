"""`stored_labels`: from an open array of zarr to its chunks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import zarr

from ngffseg.chunks.listing import Listing
from ngffseg.chunks.objects import objects_of
from ngffseg.chunks.storage_layout import storage_layout
from ngffseg.chunks.stored import StoredLabels


def stored_labels(
    array: zarr.Array[Any], *, name: str = "", listing: Listing = "probed", aside: Path | None = None
) -> StoredLabels | None:
    """The chunks of an array of labels; None if only zarr itself knows its form.

    Parameters
    ----------
    array
        An open array of integers.
    name
        What errors call it; by default its store and path.
    listing
        How far the listing of the store is believed.
    aside
        Folder on the local disk in which files are written before they take their place.
    """
    layout = storage_layout(array)
    if layout is None:
        return None
    document = "zarr.json" if array.metadata.zarr_format == 3 else ".zarray"
    proof = document if listing == "probed" else None
    objects = objects_of(array.store, array.path, listing=listing != "none", proof=proof, aside=aside)
    return StoredLabels(name or str(array.store_path), array, objects, layout)
