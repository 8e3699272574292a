"""`Document`: what the labels group says of a segmentation, beside its label images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ngffseg.errors import MetadataError
from ngffseg.geometry import Geometry
from ngffseg.model import Source
from ngffseg.ngff.schema import schema, schema_violations

KEY = "ngffseg"
SCHEMA = "ngffseg/segmentation"


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A segmentation without its voxels and segments; ``layers`` are names of label images."""

    name: str
    layers: tuple[str, ...]
    segment_order: tuple[str, ...]
    representation: str
    geometry: Geometry
    source: Source | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


def encode_geometry(geometry: Geometry) -> dict[str, Any]:
    """A grid as JSON; Python prints a float64 so that it reads back bit for bit."""
    return {
        "space": "LPS",
        "ijkToLPS": geometry.affine.tolist(),
        "shape": list(geometry.shape),
        "axes": list(geometry.axes),
        "units": list(geometry.units),
        "frameOfReferenceUID": geometry.frame_of_reference_uid,
        "timeStep": geometry.time_step,
    }


def decode_geometry(encoded: Mapping[str, Any]) -> Geometry:
    """The grid of `encode_geometry`."""
    return Geometry(
        shape=tuple(encoded["shape"]),
        affine=encoded["ijkToLPS"],
        axes=tuple(encoded["axes"]),
        units=tuple(encoded["units"]),
        frame_of_reference_uid=encoded.get("frameOfReferenceUID", ""),
        time_step=float(encoded.get("timeStep", 1.0)),
    )


def encode_document(document: Document) -> dict[str, Any]:
    """The document as JSON, with the schema that it is judged by."""
    return {
        "schema": schema(SCHEMA)["$id"],
        "name": document.name,
        "layers": list(document.layers),
        "segmentOrder": list(document.segment_order),
        "representation": document.representation,
        "geometry": encode_geometry(document.geometry),
        "source": asdict(document.source) if document.source is not None else None,
        "extra": dict(document.extra),
    }


def decode_documents(attributes: Mapping[str, Any]) -> tuple[Document, ...]:
    """All documents in the attributes of a labels group.

    Raises
    ------
    MetadataError
        If one breaks its schema.
    """
    own = attributes.get(KEY)
    encoded = own.get("segmentations", []) if isinstance(own, dict) else []
    return tuple(_decode(document) for document in encoded)


def _decode(encoded: Mapping[str, Any]) -> Document:
    broken = schema_violations(encoded, SCHEMA, "")
    if broken:
        raise MetadataError(
            f"a segmentation document of the labels group breaks its schema at {broken[0].where}: {broken[0].rule}"
        )
    source = encoded.get("source")
    return Document(
        name=encoded["name"],
        layers=tuple(encoded["layers"]),
        segment_order=tuple(encoded["segmentOrder"]),
        representation=encoded["representation"],
        geometry=decode_geometry(encoded["geometry"]),
        source=Source(**source) if source is not None else None,
        extra=encoded.get("extra", {}),
    )


def merge_document(attributes: Mapping[str, Any], document: Document) -> dict[str, Any]:
    """Attributes in which the document stands in place of the one of its name, or as the last."""
    own = dict(attributes.get(KEY) or {})
    known = list(own.get("segmentations", []))
    encoded = encode_document(document)
    place = next((n for n, d in enumerate(known) if d.get("name") == document.name), len(known))
    known[place : place + 1] = [encoded]
    return {**attributes, KEY: {**own, "segmentations": known}}
