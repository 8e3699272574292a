"""The register of names: attributes of the labels group, and what they become with another segmentation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ngffseg import ngff
from ngffseg.labels.nodes.paths import OWN


def registered(
    attributes: Mapping[str, Any], document: ngff.Document, version: ngff.Version
) -> dict[str, Any]:
    """Attributes of the labels group that change when a segmentation is registered, in place of an older one."""
    _, metadata = ngff.unwrap(attributes)
    old = layers_of(document.name, ngff.decode_documents(attributes))
    names = [n for n in ngff.listed_labels(metadata) if n not in old or n in document.layers]
    names += [n for n in document.layers if n not in names]
    return ngff.wrap(version, {"labels": names}, {OWN: ngff.merge_document(attributes, document)[OWN]})


def layers_of(name: str, documents: Iterable[ngff.Document]) -> set[str]:
    """Label images of a segmentation."""
    return {layer for d in documents if d.name == name for layer in d.layers}
