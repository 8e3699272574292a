"""The levels of a stored image: its multiscales and the array of each dataset."""

from __future__ import annotations

from typing import Any

import zarr
from zarr.abc.store import Store

from ngffseg import ngff
from ngffseg.chunks import StoredLabels, stored_labels
from ngffseg.errors import MetadataError
from ngffseg.labels.nodes import find_array
from ngffseg.store import store_can_list


def open_levels(
    store: Store, url: str, path: str, metadata: dict[str, Any]
) -> tuple[ngff.Multiscales, tuple[zarr.Array[Any], ...]]:
    """Multiscales and arrays of the image whose OME metadata is given; no chunk is read.

    Raises
    ------
    MetadataError
        If a level is missing, or the metadata cannot be understood.
    """
    level0 = _open_level(store, url, path, _first_path(url, path, metadata))
    # Versions 0.1 and 0.2 know no axes, so their number tells which they are.
    multiscales = ngff.decode_multiscales(metadata, ndim=level0.ndim)
    if len(multiscales.axes) != level0.ndim:
        raise MetadataError(
            f"{url}/{path}: {len(multiscales.axes)} axes for an array of {level0.ndim} dimensions"
        )
    rest = (_open_level(store, url, path, d.path) for d in multiscales.datasets[1:])
    return multiscales, (level0, *rest)


def _first_path(url: str, path: str, metadata: dict[str, Any]) -> str:
    try:
        return str(metadata["multiscales"][0]["datasets"][0]["path"])
    except (KeyError, IndexError, TypeError):
        raise MetadataError(f"{url}/{path}: multiscales does not name the path of level 0") from None


def _open_level(store: Store, url: str, path: str, level: str) -> zarr.Array[Any]:
    full = f"{path}/{level}".strip("/")
    array = find_array(store, full)
    if array is None:
        raise MetadataError(f"{url}/{full}: the level is missing or no array, so the store is broken")
    return array


def written_labels(array: zarr.Array[Any]) -> StoredLabels:
    """The chunks of an array that we have made, in a form that is known."""
    stored = stored_labels(array, listing=store_can_list(array.store))
    assert stored is not None, array.metadata
    return stored


def source_labels(labels: Any) -> Any:
    """Labels to be read: the chunks of a zarr array where its form is known, else as they are."""
    if not isinstance(labels, zarr.Array):
        return labels
    return stored_labels(labels, listing=store_can_list(labels.store)) or labels
