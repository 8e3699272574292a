"""What metadata of a store name: it stands, and nobody may take it away."""

from __future__ import annotations

import contextlib
import posixpath
from collections.abc import Iterable, Mapping
from typing import Any

from zarr.abc.store import Store

from ngffseg import ngff
from ngffseg.errors import MetadataError
from ngffseg.labels.nodes.find import attributes_of, find_groups
from ngffseg.labels.nodes.paths import INDEX, LABELS, OWN, ROOT_FILES
from ngffseg.store import is_inside


def referenced_paths(store: Store, paths: Iterable[str]) -> set[str]:
    """Those of some paths that the metadata of groups above them name, or that overlap what is named."""
    wanted = set(paths)
    groups = sorted({group for path in wanted for group in _above(path)})
    found: set[str] = set()
    for path, group in zip(groups, find_groups(store, groups), strict=True):
        if group is None:
            continue
        attributes = attributes_of(group)
        named = {*level_paths(attributes), *further_paths(attributes), *index_paths(attributes)}
        if named or path:
            named |= set(ROOT_FILES)
        if path == LABELS:
            listed = ngff.listed_labels(ngff.unwrap(attributes)[1])
            found |= wanted & {f"{folder}/{name}" for folder in (LABELS, INDEX) for name in listed}
        found |= {one for one in wanted for name in named if overlap(one, f"{path}/{name}".strip("/"))}
    return found


def _above(path: str) -> list[str]:
    """Groups in which a path may lie, the root among them, and the one that lists the labels."""
    parts = path.split("/")
    return [LABELS, *("/".join(parts[:depth]) for depth in range(len(parts)))]


def overlap(path: str, other: str) -> bool:
    """Return True if two paths are the same, or one lies in the other."""
    return f"{path}/".startswith(f"{other}/") or f"{other}/".startswith(f"{path}/")


def level_paths(attributes: Mapping[str, Any]) -> tuple[str, ...]:
    """Paths of the levels of an image group, as far as they can be in it; none where its metadata is damaged."""
    try:
        metadata = ngff.unwrap(attributes)[1]
        paths = (d.path for d in ngff.decode_multiscales(metadata, ndim=5).datasets)
        return tuple(path for path in paths if is_level(path))
    except MetadataError:
        return ()


def further_paths(attributes: Mapping[str, Any]) -> set[str]:
    """Paths of levels that further multiscales of an image group name; the first is what is read."""
    multiscales: Any = ngff.unwrap(attributes)[1].get("multiscales")
    found: set[str] = set()
    for further in multiscales[1:] if isinstance(multiscales, list) else ():
        with contextlib.suppress(MetadataError):
            decoded = ngff.decode_multiscales({"multiscales": [further]}, ndim=5)
            found |= {dataset.path for dataset in decoded.datasets}
    return found


def is_level(path: str) -> bool:
    """Return True if a path within a group can be one of a level of its image.

    What is replaced is removed, so it must be neither metadata of the group nor what lies in a store beside
    its image.
    """
    first, last = path.partition("/")[0], posixpath.basename(path)
    return is_inside(path) and first not in (LABELS, OWN) and not last.startswith((".", "zarr."))


def index_paths(attributes: Mapping[str, Any]) -> tuple[str, ...]:
    """Paths of the arrays of a segment index; none where its metadata is damaged."""
    try:
        return ngff.decode_index(dict(attributes)).arrays
    except MetadataError:
        return ()
