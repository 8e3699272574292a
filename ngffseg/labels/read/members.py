"""What a plate, a well, or the root of another writer holds, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from zarr.abc.store import Store

from ngffseg import ngff
from ngffseg.errors import MetadataError
from ngffseg.labels.nodes.find import attributes_of, find_groups
from ngffseg.store import all_of, store_can_list
from ngffseg.zarr_internals import sync

# Groups of a spatialdata store, with the elements in each.
ELEMENTS = ("images", "labels", "shapes", "points", "tables")


def find_collection(store: Store, attributes: Mapping[str, Any]) -> ngff.Collection | None:
    """The collection that the root of a store is, with its members where they can be found; None if it is none."""
    found = ngff.decode_collection(attributes)
    if found is None or found.members:
        return found
    if found.kind == ngff.BIOFORMATS2RAW:
        group = find_groups(store, [ngff.SERIES])[0]
        series = ngff.listed_series(attributes_of(group)) if group is not None else None
        if series is None:
            # Without a list, "images MUST be stored in consecutively numbered groups starting from 0".
            series = tuple(sorted((n for n in child_names(store, [""])[0] if n.isdecimal()), key=int))
        return replace(found, members=series)
    if found.kind == ngff.SPATIALDATA:
        lists = zip(ELEMENTS, child_names(store, ELEMENTS), strict=True)
        return replace(
            found, members=tuple(f"{kind}/{name}" for kind, names in lists for name in sorted(names))
        )
    return found


def refuse_collection(store: Store, url: str, attributes: Mapping[str, Any]) -> None:
    """Refuse a group that holds images and is none, by the name of what it is.

    Raises
    ------
    MetadataError
        If it is one; the message names an image in it.
    """
    found = find_collection(store, attributes)
    if found is None:
        return
    example = found.example
    if found.kind == "plate" and example:
        well = find_groups(store, [found.members[0]])[0]
        fields = ngff.decode_collection(attributes_of(well)) if well is not None else None
        example = f"{found.members[0]}/{fields.example}" if fields is not None else example
    wanted = "one field" if found.kind in ("plate", "well") else "one image"
    such = f", such as {url}/{example}" if example else ""
    raise MetadataError(f"{url} is {found.description()}, no image: give the address of {wanted}{such}")


def child_names(store: Store, paths: Sequence[str]) -> list[list[str]]:
    """Names of nodes below some groups; none where the store cannot list."""
    if not store_can_list(store):
        return [[] for _ in paths]
    listed = sync(_listed(store, paths))
    return [[name for name in names if not name.startswith((".", "zarr.json"))] for names in listed]


async def _listed(store: Store, paths: Sequence[str]) -> list[list[str]]:
    return await all_of(_list(store, path) for path in paths)


async def _list(store: Store, path: str) -> list[str]:
    try:
        return [name async for name in store.list_dir(path)]
    except (FileNotFoundError, NotADirectoryError):
        return []
