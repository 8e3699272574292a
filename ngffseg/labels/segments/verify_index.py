"""Comparison of a segment index with level 0, which other programs may have changed since."""

from __future__ import annotations

import os
import tempfile
from typing import Any

import numpy as np
import zarr

from ngffseg import ngff
from ngffseg.chunks import StoredLabels
from ngffseg.errors import ChunkError, MetadataError, StoreNotFoundError
from ngffseg.grid import Numbers, chunk_grid
from ngffseg.labels.index.level_count import counted_level0, level0_plan, write_index_aside
from ngffseg.labels.index.stored_index import StoredIndex
from ngffseg.labels.index.write import index_group, object_sizes
from ngffseg.labels.nodes.find import attributes_of, find_groups
from ngffseg.labels.nodes.paths import LABELS
from ngffseg.labels.read.address import split_address
from ngffseg.labels.read.label_image import LabelImage
from ngffseg.labels.read.lazy_level import source_labels
from ngffseg.labels.read.open import open_labels
from ngffseg.labels.read.selection import Selection
from ngffseg.labels.segments.index_state import Verification, agreed, mismatch, stale
from ngffseg.store import open_store, store_errors


def verify_indices(url: str | os.PathLike[str]) -> list[Verification]:
    """Count level 0 of all label images of a store that have a segment index, and compare; see `verify_index`.

    Parameters
    ----------
    url
        Address of a store, of its labels group or of a label image.
    """
    address, name = split_address(url)
    with store_errors(address):
        root, labels = find_groups(open_store(address), ["", LABELS])
        if root is not None and labels is None and address.endswith(f"/{LABELS}"):
            address, labels = address.removesuffix(f"/{LABELS}"), root
        listed = ngff.listed_labels(ngff.unwrap(attributes_of(labels))[1]) if labels is not None else ()
    found = (_verified_one(address, one) for one in (listed if name is None else (name,)))
    return [one for one in found if one is not None]


def _verified_one(address: str, name: str) -> Verification | None:
    """What is found of one label image; None where there is nothing to compare."""
    try:
        return verify_index(open_labels(address, name), deep=True)
    except ChunkError as error:
        return Verification(name, True, None, str(error), error.hints)
    except (StoreNotFoundError, MetadataError):
        return None  # `check` says that it is missing or broken


def verify_index(image: LabelImage, *, deep: bool = False) -> Verification:
    """Compare the segment index of a label image with its level 0.

    The stored sizes of the objects of level 0 are compared with those at the end of the write, by a listing.
    Then the chunks in objects of another size are counted, and compared by their digests.

    Parameters
    ----------
    image
        The label image.
    deep
        Count all chunks. This is always done where sizes tell nothing: chunks are not packed, the store cannot
        list, or an index of ngffseg 0.1 did not keep them.

    Raises
    ------
    StoreNotFoundError
        If it has no index.
    ChunkError
        If a chunk of level 0 cannot be decoded.
    """
    with store_errors(image.url):
        group = index_group(image)
        if group is None:
            raise StoreNotFoundError(f"{image.url}: label image {image.name!r} has no segment index")
        try:
            index = StoredIndex(image.url, group)
            index.check()
            reason = mismatch(image, index.layout)
            return stale(image, reason) if reason is not None else _verified(image, index, deep=deep)
        except MetadataError as error:
            return stale(image, f"it is broken: {error}")


def _verified(image: LabelImage, index: StoredIndex, *, deep: bool) -> Verification:
    if index.layout.digests is None:
        return _compared(image, index)
    array = image._arrays[0]
    recorded = _all(index, index.layout.sizes)
    sizes = None if recorded is None else object_sizes(image.url, array.path, array)
    changed = None if recorded is None or sizes is None else _differing(recorded, sizes)
    if not deep and changed is not None and array.compressors and not len(changed):
        return agreed(image, "the sizes of all objects agree, their chunks were not counted")
    source = source_labels(array)
    some = not deep and changed is not None and bool(array.compressors) and isinstance(source, StoredLabels)
    units = changed if some else None
    differing = _count_differing(image, index, source, units)
    counted = (
        f"the chunks of {len(changed)} objects of another size"
        if some and changed is not None
        else "all chunks"
    )
    if differing:
        return stale(image, f"{differing} chunks of level 0 differ", differing)
    return agreed(image, f"{counted} were counted", 0)


def _count_differing(image: LabelImage, index: StoredIndex, source: Any, units: Numbers | None) -> int:
    """Number of chunks, in some objects or in all, that do not hold what was counted in them."""
    assert index.layout.digests is not None
    plan, array = level0_plan(image), image._arrays[0]
    unit = array.shards or array.chunks
    if units is not None:
        grid = chunk_grid(array.shape, unit)
        places = np.stack(np.unravel_index(units.astype(np.int64), grid), axis=1)
        source = Selection(source, places)
    with counted_level0(plan, source) as statistics:
        for _ in statistics.counts():
            pass  # digests are known at the end of it
        for pairs in index.pairs(index.layout.digests):
            known = pairs if units is None else pairs[np.isin(_units_of(pairs[:, 0], array), units)]
            # Taken away from what was counted: what is left is not 0 where they differ.
            statistics.add_digests(np.stack([known[:, 0], ~known[:, 1] + np.uint64(1)], axis=1))
        return sum(int(np.count_nonzero(pairs[:, 1])) for pairs in statistics.digests())


def _units_of(chunks: Numbers, array: zarr.Array[Any]) -> Numbers:
    """Flat numbers of the objects that chunks lie in."""
    unit = array.shards or array.chunks
    index = np.unravel_index(chunks.astype(np.int64), chunk_grid(array.shape, array.chunks))
    places = tuple(i // (u // c) for i, u, c in zip(index, unit, array.chunks, strict=True))
    return np.asarray(np.ravel_multi_index(places, chunk_grid(array.shape, unit)), np.uint64)


def _compared(image: LabelImage, index: StoredIndex) -> Verification:
    """Compare an index without digests segment by segment with one that is counted."""
    with tempfile.TemporaryDirectory(prefix="ngffseg-") as folder:
        other = StoredIndex(folder, write_index_aside(folder, image))
        here, there = (_rows(one) for one in (index, other))
    labels, first, second = np.intersect1d(here[0], there[0], assume_unique=True, return_indices=True)
    same = int((here[:, first] == there[:, second]).all(axis=0).sum())
    differing = here.shape[1] + there.shape[1] - len(labels) - same
    if differing:
        return stale(image, f"{differing} segments differ from those of level 0")
    return agreed(image, "all chunks were counted", 0)


def _rows(index: StoredIndex) -> Numbers:
    """The table of an index without the column that tells where its lists begin."""
    table = np.asarray(index.array(index.layout.table)[:, : index.layout.segments])
    return np.delete(table, 2, axis=0)


def _all(index: StoredIndex, path: str | None) -> Numbers | None:
    if path is None:
        return None
    return np.concatenate([np.empty((0, 2), np.uint64), *index.pairs(path)])


def _differing(pairs: Numbers, others: Numbers) -> Numbers:
    """Keys whose values differ, those that only one side has among them."""
    rows, counts = np.unique(np.concatenate([pairs, others]), axis=0, return_counts=True)
    return np.unique(rows[counts == 1, 0])
