"""`LabelDocument`: what a label image says of itself beside OME-Zarr, so that one request opens it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ngffseg.errors import MetadataError, UsageError
from ngffseg.geometry import Geometry
from ngffseg.ngff.document import KEY
from ngffseg.ngff.grid import decode_geometry, encode_geometry
from ngffseg.ngff.migration import current, schema_id
from ngffseg.ngff.schema import schema_violations

KIND = "label"


@dataclass(frozen=True, slots=True)
class LabelDocument:
    """What stands under the key ``ngffseg`` of a label image.

    Parameters
    ----------
    layers
        Names of the label images that make up the segmentation, this one among them.
    geometry
        Grid of level 0.
    arrays
        Metadata of the array of each level, by its path in the group: a copy, so that readers need
        not fetch them one by one.
    made
        Digests of how and from what the levels above level 0 were built, where they were built later.
    generation
        How often the segmentation has been written.
    revision
        How often a part of it was updated since.
    updates
        The latest updates: revision, and start and stop per axis of the box.
    """

    layers: tuple[str, ...]
    geometry: Geometry
    arrays: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    made: Mapping[str, str | None] | None = None
    generation: int = 0
    revision: int = 0
    updates: tuple[tuple[int, tuple[tuple[int, int], ...]], ...] = ()


def encode_label(document: LabelDocument) -> dict[str, Any]:
    """The document as the part of the attributes of its group that it is."""
    arrays = {path: array_layout(array) for path, array in document.arrays.items()}
    encoded: dict[str, Any] = {
        "schema": schema_id(KIND),
        "layers": list(document.layers),
        "geometry": encode_geometry(document.geometry),
        "arrays": arrays,
    }
    if document.made is not None:
        encoded["made"] = dict(document.made)
    if document.generation:
        encoded["generation"] = document.generation
    if document.revision:
        encoded["revision"] = document.revision
        encoded["updates"] = [
            {"revision": number, "box": [list(part) for part in box]} for number, box in document.updates
        ]
    return {KEY: encoded}


def decode_label(attributes: Mapping[str, Any]) -> LabelDocument | None:
    """The document in the attributes of a label image; None where there is none.

    Raises
    ------
    MetadataError
        If it breaks its schema.
    """
    if KEY not in attributes:
        return None
    own = current(attributes[KEY], KIND)
    broken = schema_violations(own, f"ngffseg/{KIND}")
    if broken:
        raise MetadataError(
            f"the key {KEY!r} of a label image breaks its schema at {broken[0].where or '/'}: {broken[0].rule}"
        )
    try:
        geometry = decode_geometry(own["geometry"])
    except UsageError as error:
        raise MetadataError(f"the key {KEY!r} of a label image: {error}") from error
    updates = tuple(
        (update["revision"], tuple((a, b) for a, b in update["box"])) for update in own.get("updates", ())
    )
    return LabelDocument(
        tuple(own["layers"]),
        geometry,
        own["arrays"],
        own.get("made"),
        own.get("generation", 0),
        own.get("revision", 0),
        updates,
    )


def array_layout(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata of an array without its attributes."""
    return {key: value for key, value in metadata.items() if key != "attributes"}
