"""The register of names: attributes of the labels group, and what they become with another segmentation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ngffseg import ngff
from ngffseg.labels.places import OWN


def registered(
    attributes: Mapping[str, Any], document: ngff.Document, version: ngff.Version
) -> dict[str, Any]:
    """Attributes of the labels group in which a segmentation is registered, in place of an older one."""
    _, metadata = ngff.unwrap(attributes)
    old = layers_of(document.name, ngff.decode_documents(attributes))
    names = [n for n in ngff.listed_labels(metadata) if n not in old or n in document.layers]
    names += [n for n in document.layers if n not in names]
    # Since 0.5 other keys stand beside "ome"; before, among the metadata themselves.
    beside = {k: v for k, v in attributes.items() if k == OWN or ("ome" in attributes and k != "ome")}
    merged = ngff.merge_document(beside, document)
    metadata = {k: v for k, v in metadata.items() if k != OWN} | {"labels": names}
    return ngff.wrap(version, metadata, merged)


def layers_of(name: str, documents: Iterable[ngff.Document]) -> set[str]:
    """Label images of a segmentation."""
    return {layer for d in documents if d.name == name for layer in d.layers}
