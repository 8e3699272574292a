"""`Document`: what the labels group says of a segmentation, beside its label images."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ngffseg.errors import MetadataError, UsageError
from ngffseg.geometry import Geometry, SourceGrid
from ngffseg.model import Source
from ngffseg.ngff.grid import decode_geometry, decode_source_grid, encode_geometry, encode_source_grid
from ngffseg.ngff.migration import current, schema_id
from ngffseg.ngff.schema import schema_violations

KEY = "ngffseg"
# Kinds of documents: of a segmentation, and of the labels group that holds them.
KIND, GROUP = "segmentation", "labels"
# What follows the name of a segmentation in those of its further layers.
LAYER = re.compile(r"__layer[1-9]\d*")


@dataclass(frozen=True, slots=True)
class Document:
    """A segmentation without its voxels and segments; ``layers`` are names of label images.

    ``generation`` counts how often it was written; ``made`` holds the digests of the plan and of the
    source (None where there is none), by which a later run knows whether it is what would be written.
    ``source_grid`` is the grid of the source where the layers are in another order than there.
    """

    name: str
    layers: tuple[str, ...]
    segment_order: tuple[str, ...]
    representation: str
    geometry: Geometry
    source: Source | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    generation: int = 1
    made: Mapping[str, str | None] | None = None
    source_grid: SourceGrid | None = None


def own_part(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What stands under the key ``ngffseg`` of a group; empty where there is nothing.

    Raises
    ------
    MetadataError
        If it is no JSON object.
    """
    own = attributes.get(KEY, {})
    if not isinstance(own, dict):
        raise MetadataError(f"the key {KEY!r} of the attributes holds no object: run check on the store")
    return own


def encode_document(document: Document) -> dict[str, Any]:
    """The document as JSON, with the schema that it is validated by."""
    return {
        "schema": schema_id(KIND),
        "name": document.name,
        "layers": list(document.layers),
        "generation": document.generation,
        "segmentOrder": list(document.segment_order),
        "representation": document.representation,
        "geometry": encode_geometry(document.geometry),
        "source": asdict(document.source) if document.source is not None else None,
        "extra": dict(document.extra),
        **encode_source_grid(document.source_grid),
        **({"made": dict(document.made)} if document.made is not None else {}),
    }


def document_layers(attributes: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    """Names of the label images of each segmentation in the attributes of a labels group, and nothing else.

    Documents of very many segments take long to be validated, which to find a label image need not be.
    """
    known = (document for document in _encoded(attributes.get(KEY)) if isinstance(document, dict))
    layers = (document.get("layers") for document in known)
    return tuple(tuple(map(str, names)) for names in layers if isinstance(names, list) and names)


def document_source_grid(attributes: Mapping[str, Any], image: str, held: Geometry) -> SourceGrid | None:
    """The grid of the source of a label image, as the attributes of its labels group tell it; None if they do not.

    What else is told there need not keep its schema.

    Parameters
    ----------
    image
        Its name.
    held
        The grid on which it lies.
    """
    for document in _encoded(attributes.get(KEY)):
        names = document.get("layers") if isinstance(document, dict) else None
        if isinstance(names, list) and image in names and "sourceGrid" in document:
            if schema_violations(document["sourceGrid"], "ngffseg/source-grid"):
                return None
            with contextlib.suppress(UsageError):
                found = decode_source_grid(document, held)
                return found if found is not None and found.leads_to(held) else None
    return None


def decode_documents(attributes: Mapping[str, Any]) -> tuple[Document, ...]:
    """All documents in the attributes of a labels group.

    Raises
    ------
    MetadataError
        If one breaks its schema.
    """
    own = attributes.get(KEY)
    return tuple(decode_document(document) for document in _encoded(own))


def _encoded(own: Any) -> list[Any]:
    """The documents under the key ``ngffseg``, as JSON."""
    encoded = own.get("segmentations", []) if isinstance(own, dict) else []
    if not isinstance(encoded, list):
        raise MetadataError("ngffseg.segmentations of the labels group is no list: run check on the store")
    return encoded


def decode_document(encoded: Mapping[str, Any]) -> Document:
    """The document of `encode_document`.

    Raises
    ------
    MetadataError
        If it breaks its schema.
    """
    encoded = current(encoded, KIND)
    broken = schema_violations(encoded, f"ngffseg/{KIND}")
    if broken:
        raise MetadataError(
            f"a segmentation document of the labels group breaks its schema at {broken[0].where}: {broken[0].rule}"
        )
    name, layers = encoded["name"], encoded["layers"]
    # What a document lists as layers of its own is replaced and removed with it.
    if layers[0] != name or not all(
        layer.startswith(name) and LAYER.fullmatch(layer[len(name) :]) for layer in layers[1:]
    ):
        raise MetadataError(
            f"segmentation document {name!r} lists layers {layers}, not {name}, {name}__layer1 and so on"
        )
    source = encoded.get("source")
    try:
        geometry = decode_geometry(encoded["geometry"])
        source_grid = decode_source_grid(encoded, geometry)
    except UsageError as error:
        raise MetadataError(f"segmentation document {name!r}: {error}") from error
    return Document(
        name=name,
        layers=tuple(layers),
        segment_order=tuple(encoded["segmentOrder"]),
        representation=encoded["representation"],
        geometry=geometry,
        source=Source(**source) if source is not None else None,
        extra=encoded.get("extra", {}),
        generation=int(encoded.get("generation", 1)),
        made=encoded.get("made"),
        source_grid=source_grid,
    )


def merge_document(attributes: Mapping[str, Any], document: Document) -> dict[str, Any]:
    """Attributes in which the document stands in place of the one of its name, or as the last."""
    own = current(own_part(attributes), GROUP)
    known = list(_encoded(own))
    place = next((n for n, d in enumerate(known) if _is_named(d, document.name)), len(known))
    known[place : place + 1] = [encode_document(document)]
    return {**attributes, KEY: {**own, "segmentations": known}}


def _is_named(encoded: Any, name: str) -> bool:
    return isinstance(encoded, dict) and encoded.get("name") == name
