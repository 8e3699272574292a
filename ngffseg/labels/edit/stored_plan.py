"""How the levels of a stored label image were made, from what it says of itself."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

import zarr

from ngffseg import ngff
from ngffseg.errors import Hint, MetadataError
from ngffseg.labels.nodes.find import attributes_of, find_group
from ngffseg.labels.nodes.paths import LABELS
from ngffseg.labels.read.label_image import LabelImage
from ngffseg.pyramid import Level, Method, PyramidPlan, Tie, plan_pyramid
from ngffseg.store import open_store


def stored_plan(image: LabelImage, attributes: Mapping[str, Any]) -> PyramidPlan:
    """The plan by which the levels of a label image were made, from the attributes of its group.

    Its chunks are those that are stored.

    Raises
    ------
    MetadataError
        If it does not say how, or its levels are not what that would give.
    """
    _, metadata = ngff.unwrap(attributes)
    multiscales = ngff.decode_multiscales(metadata, ndim=len(image.geometry.shape))
    how = multiscales.metadata
    method, tie, cascade = how.get("method"), how.get("tie"), how.get("cascade")
    anew = Hint("rebuild", image.url, image.name)
    known = method in get_args(Method) and tie in get_args(Tie) and isinstance(cascade, bool)
    if how.get("software") != "ngffseg" or not known:
        raise MetadataError(
            f"{image.url}: {image.name!r} does not say how its levels were made: make them anew with {anew}",
            hints=[anew],
        )
    chosen: Any = {"method": method, "tie": tie, "cascade": cascade}
    factors = [
        tuple(round(b / a) for a, b in zip(fine.scale, coarse.scale, strict=True))
        for fine, coarse in itertools.pairwise(multiscales.datasets)
    ]
    plan = plan_pyramid(
        image.geometry,
        image._arrays[0].dtype,
        **chosen,
        factors=[tuple(f[axis] for axis in image.geometry.spatial_axes) for f in factors],
        levels=len(image._arrays),
    )
    if [level.shape for level in plan.levels] != [array.shape for array in image._arrays]:
        raise MetadataError(
            f"{image.url}: the levels of {image.name!r} have other shapes than their scales give: make them anew"
            f" with {anew}",
            hints=[anew],
        )
    return replace(plan, levels=tuple(map(_as_stored, plan.levels, image._arrays)))


def can_update(image: LabelImage) -> bool:
    """Return True if a label image says how its levels were made, so that a part of them can be made as they were."""
    group = find_group(open_store(image.url), f"{LABELS}/{image.name}")
    assert group is not None
    try:
        stored_plan(image, attributes_of(group))
    except MetadataError:
        return False
    return True


def _as_stored(level: Level, array: zarr.Array[Any]) -> Level:
    return replace(level, path=array.basename, chunks=array.chunks, shards=array.shards)
