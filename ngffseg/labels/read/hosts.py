"""Which groups can be changed, and which can hold labels: what others could not open then is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ngffseg import ngff
from ngffseg.errors import MetadataError


def writable_version(where: str, attributes: Mapping[str, Any], zarr_format: int) -> ngff.Version:
    """The version in which a group is changed.

    Raises
    ------
    MetadataError
        If it tells one that is not written, or lies in the Zarr format of another one.
    """
    default: ngff.Version = "0.5" if zarr_format == 3 else "0.4"
    for stated in ngff.stated_versions(attributes):
        if stated != default:
            known = f"OME-Zarr {stated}" + (f" in Zarr v{zarr_format}" if stated in ngff.VERSIONS else "")
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
    if ngff.SPATIALDATA in attributes:
        # It takes each group under "labels" for an element of its own, and an image with labels for damaged.
        raise MetadataError(
            f"{url} belongs to a spatialdata store, which spatialdata could not open with other labels in it:"
            " write them to a store of their own"
        )
    found = ngff.decode_collection(attributes)
    if found is not None:
        raise MetadataError(
            f"{url} is {found.description()}, no image: labels belong to an image in it, such as {url}/{found.example}"
        )
