"""Digests by which a later run knows whether labels and options are those that a job was begun with."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ngffseg import ngff
from ngffseg.dask_arrays import is_dask_array
from ngffseg.geometry import Geometry
from ngffseg.labels.arrays.mask_layer import MaskLayer
from ngffseg.labels.nodes.create import array_document
from ngffseg.labels.plan.options import WriteOptions
from ngffseg.labels.plan.write_plan import WritePlan
from ngffseg.labels.read.lazy_level import stored_array
from ngffseg.model import Segmentation, Volume, plain_value
from ngffseg.store import can_list, list_objects, store_url

# Digests tell of segmentations as of version 1 of their schema, so that what ngffseg 0.1 has written is known again.
# Fields that have come since are not part of them.
FIRST_SCHEMA = "urn:ngffseg:schema:segmentation:1"


def digest(value: Any) -> str:
    """Digest of a JSON value."""
    return hashlib.sha256(ngff.encode_json(value, sort_keys=True)).hexdigest()


def source_digest(layers: Iterable[Any]) -> str | None:
    """Digest of labels that are read lazily, without reading them; None where there is none.

    Of stored arrays it is that of their metadata, and of the sizes and times (or ETags) of their
    objects; of dask arrays their name, which follows from what they are made of; of masks theirs.
    """
    found = [_layer_digest(layer) for layer in layers]
    return None if None in found else digest(found)


def _layer_digest(layer: Any) -> Any:
    if is_dask_array(layer):
        return ["dask", layer.name, list(layer.shape), str(layer.dtype)]
    if isinstance(layer, MaskLayer):
        masks = [_layer_digest(mask) for mask in layer.masks.values()]
        return None if None in masks else ["masks", masks, list(layer.values.values())]
    array = stored_array(layer)
    url = store_url(array.store) if array is not None else None
    if array is None or url is None:
        return None
    facts: list[Any] = ["zarr", array_document(array)]
    if can_list(url):
        entries = list_objects(url, f"{array.path}/".lstrip("/"))
        facts += [[key, e.size, e.tag or e.modified] for key, e in sorted(entries.items())]
    return digest(facts)


def plan_digest(
    write_plan: WritePlan, segmentation: Segmentation, options: WriteOptions, image: Volume | None
) -> str:
    """Digest of all that is asked for in a write, but who does it and from which labels.

    Grids count as the sources have them: ngffseg 0.1 stored labels in that order, and what it has imported is
    not to be imported again.
    """
    segments = [layer.image_label for layer in write_plan.layers]
    facts = ngff.encode_document(replace(write_plan.document, generation=1, made=None))
    facts |= {"schema": FIRST_SCHEMA, "geometry": _first_geometry(segmentation)}
    facts.pop("sourceGrid", None)
    document = {"ngffseg": {"segmentations": [facts]}}
    dtypes = [str(plan.dtype) for plan in write_plan.plans]
    source = None
    if image is not None:
        source = [list(_given(image).shape), _first_geometry(image), image.name]
    return digest([write_plan.version, recorded_options(options), document, segments, dtypes, source])


def _first_geometry(given: Segmentation | Volume) -> dict[str, Any]:
    """A grid as version 1 told it: the frame follows from the file that labels were read from."""
    return {key: value for key, value in ngff.encode_geometry(_given(given)).items() if key != "frame"}


def _given(given: Segmentation | Volume) -> Geometry:
    return given.geometry if given.source_grid is None else given.source_grid.geometry


def options_digest(options: WriteOptions) -> str:
    """Digest of the options that were given."""
    return digest(recorded_options(options))


def recorded_options(options: WriteOptions) -> dict[str, Any]:
    """The options of a write as JSON, for people to compare; without those of who does it."""
    return {
        key: plain_value(value, key)
        for key, value in sorted(options.items())
        if key not in ("workers", "cluster", "resume")
    }
