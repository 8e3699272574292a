"""`CommitRecord`: one write of a segmentation to an object store, as the one object that it happens by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ngffseg.errors import MetadataError
from ngffseg.ngff.document import Document, decode_document, encode_document
from ngffseg.ngff.migration import current, schema_id
from ngffseg.ngff.schema import schema_violations
from ngffseg.ngff.version import Version

KIND = "registration"


@dataclass(frozen=True, slots=True)
class Placeholder:
    """An image without data that is to be made.

    Parameters
    ----------
    attributes
        Of the image group.
    arrays
        Metadata of the arrays of its levels, by path.
    """

    attributes: Mapping[str, Any]
    arrays: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class CommitRecord:
    """All metadata that a write publishes.

    Parameters
    ----------
    document
        The segmentation.
    version
        NGFF version of the store.
    labels, indices
        Attributes of its label images and of their segment indices, by name.
    placeholder
        The image to make where there is none.
    """

    document: Document
    version: Version
    labels: Mapping[str, Mapping[str, Any]]
    indices: Mapping[str, Mapping[str, Any]]
    placeholder: Placeholder | None = None


def encode_commit_record(commit_record: CommitRecord) -> dict[str, Any]:
    """The registration as JSON."""
    placeholder = commit_record.placeholder
    return {
        "schema": schema_id(KIND),
        "version": commit_record.version,
        "segmentation": encode_document(commit_record.document),
        "labels": dict(commit_record.labels),
        "indices": dict(commit_record.indices),
        "placeholder": None if placeholder is None else asdict(placeholder),
    }


def decode_commit_record(encoded: Mapping[str, Any]) -> CommitRecord:
    """The commit record of `encode_commit_record`.

    Raises
    ------
    MetadataError
        If it breaks its schema.
    """
    migrated = current(encoded, KIND)
    broken = schema_violations(migrated, f"ngffseg/{KIND}")
    if broken:
        raise MetadataError(f"a registration breaks its schema at {broken[0].where or '/'}: {broken[0].rule}")
    document = decode_document(migrated["segmentation"])
    strays = {*migrated["labels"], *migrated["indices"]} - set(document.layers)
    if strays:
        raise MetadataError(
            f"a registration of {document.name!r} is to publish {min(strays)!r}, no layer of it"
        )
    image = migrated["placeholder"]
    placeholder = None if image is None else Placeholder(**image)
    return CommitRecord(document, migrated["version"], migrated["labels"], migrated["indices"], placeholder)
