"""What metadata of a store name: it stands, and nobody may take it away."""

from __future__ import annotations

import contextlib
import posixpath
from collections.abc import Iterable, Mapping
from typing import Any

from zarr.abc.store import Store

from ngffseg import ngff
from ngffseg.errors import MetadataError
from ngffseg.labels.nodes import attributes_of, find_groups
from ngffseg.labels.places import ROOT_FILES


def standing_paths(store: Store, paths: Iterable[str]) -> set[str]:
    """Those of some paths that the metadata of the groups in which they lie name."""
    wanted = set(paths)
    groups = sorted({posixpath.dirname(path) for path in wanted})
    found: set[str] = set()
    for path, group in zip(groups, find_groups(store, groups), strict=True):
        if group is None:
            continue
        attributes = attributes_of(group)
        named = {*level_paths(attributes), *further_paths(attributes), *index_paths(attributes)}
        if named or path:
            named |= set(ROOT_FILES)
        found |= {f"{path}/{name}".strip("/") for name in named}
    return wanted & found


def level_paths(attributes: Mapping[str, Any]) -> tuple[str, ...]:
    """Paths of the levels of an image group; none where its metadata is damaged."""
    try:
        metadata = ngff.unwrap(attributes)[1]
        return tuple(d.path for d in ngff.decode_multiscales(metadata, ndim=5).datasets)
    except MetadataError:
        return ()


def further_paths(attributes: Mapping[str, Any]) -> set[str]:
    """Paths of levels that further multiscales of an image group name; the first is what is read."""
    multiscales: Any = ngff.unwrap(attributes)[1].get("multiscales")
    found: set[str] = set()
    for told in multiscales[1:] if isinstance(multiscales, list) else ():
        with contextlib.suppress(MetadataError):
            decoded = ngff.decode_multiscales({"multiscales": [told]}, ndim=5)
            found |= {dataset.path for dataset in decoded.datasets}
    return found


def index_paths(attributes: Mapping[str, Any]) -> tuple[str, ...]:
    """Paths of the arrays of a segment index; none where its metadata is damaged."""
    try:
        form = ngff.decode_index(dict(attributes))
    except MetadataError:
        return ()
    return form.table, form.lists, form.fences
