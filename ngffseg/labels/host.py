"""Which groups can be changed, and which can hold labels: what others could not open then is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ngffseg import ngff
from ngffseg.errors import MetadataError

SPATIALDATA = "spatialdata_attrs"
SERIES = "bioformats2raw.layout"


def writable_version(where: str, attributes: Mapping[str, Any], zarr_format: int) -> ngff.Version:
    """The version in which a group is changed.

    Raises
    ------
    MetadataError
        If it tells one that is not written, or lies in the Zarr format of another one.
    """
    default: ngff.Version = "0.5" if zarr_format == 3 else "0.4"
    for told in ngff.told_versions(attributes):
        if told != default:
            known = f"OME-Zarr {told}" + (f" in Zarr v{zarr_format}" if told in ngff.VERSIONS else "")
            raise MetadataError(
                f"{where} is {known}: only 0.4 and 0.5 are written, so it stays as it is; use a new store"
            )
    return default


def check_host(url: str, attributes: Mapping[str, Any]) -> None:
    """Refuse to put labels where they do not belong: below what is no image, or what others open no more.

    Raises
    ------
    MetadataError
        If it is such a group.
    """
    _, metadata = ngff.unwrap(attributes)
    if SPATIALDATA in attributes:
        # It takes each group under "labels" for an element of its own, and an image with labels for damaged.
        raise MetadataError(
            f"{url} belongs to a spatialdata store, which spatialdata could not open with other labels in it:"
            " write them to a store of their own"
        )
    if "multiscales" not in metadata and (kind := _kind(metadata)) is not None:
        what, image = kind
        raise MetadataError(
            f"{url} is {what}, no image: labels belong to an image in it, such as {url}/{image}"
        )


def _kind(metadata: Mapping[str, Any]) -> tuple[str, str] | None:
    """What a group of images is, and the path of one of them."""
    if "plate" in metadata:
        return "a plate", f"{_first(metadata['plate'], 'wells', 'A/1')}/0"
    if "well" in metadata:
        return "a well of a plate", _first(metadata["well"], "images", "0")
    if SERIES in metadata:
        return "a series of images, as bioformats2raw writes it", "0"
    return None


def _first(told: Any, key: str, example: str) -> str:
    rows = told.get(key) if isinstance(told, dict) else None
    path = rows[0].get("path") if isinstance(rows, list) and rows and isinstance(rows[0], dict) else None
    return path if isinstance(path, str) else example
