"""Validation of attributes: schemas first, then the rules that they cannot hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ngffseg.ngff.collection import SPATIALDATA, metadata_kinds
from ngffseg.ngff.document import KEY
from ngffseg.ngff.migration import own_violations
from ngffseg.ngff.rules_collection import validate_collection
from ngffseg.ngff.rules_image import validate_multiscales
from ngffseg.ngff.rules_label import (
    TABLES,
    empty_table_fix,
    validate_image_label,
    validate_labels_group,
)
from ngffseg.ngff.rules_old import validate_old
from ngffseg.ngff.rules_reading import validate_numbers, validate_reading
from ngffseg.ngff.schema import schema_violations, short_text
from ngffseg.ngff.version import OLD_VERSIONS, is_unknown, unwrap
from ngffseg.ngff.version import zarr_format as format_of
from ngffseg.ngff.violation import Place, Violation

# Schemas of the key of ngffseg, by what its group holds.
KINDS = {"label": "image-label", "labels": "labels"}
PARTS = ("multiscales", "image-label", "labels", "omero")


def validate_attributes(
    attributes: Mapping[str, Any], where: str = "", *, zarr_format: int | None = None
) -> list[Violation]:
    """Validate the attributes of one group alone: whatever of OME-Zarr they hold.

    Parameters
    ----------
    attributes
        All attributes of the group.
    where
        Path of the group, for the places of violations.
    zarr_format
        Zarr format of the group, 2 or 3, where it is known.
    """
    return list(_validate(attributes, Place(where, ""), zarr_format))


def _validate(attributes: Mapping[str, Any], where: Place, zarr_format: int | None) -> Iterator[Violation]:
    version, metadata = unwrap(attributes)
    if not metadata_kinds(attributes):
        rule = "An OME-Zarr group holds multiscales, image-label, labels, a plate or a well."
        found = f"keys {sorted(map(str, metadata))[:5]}"
        yield Violation("MUST", where, rule, "OME-Zarr metadata", short_text(found))
        return
    if metadata_kinds(attributes) == (SPATIALDATA,):
        yield from validate_collection(attributes, where)
        return
    validated = version or ("0.5" if "ome" in attributes else "0.4")
    if is_unknown(validated):
        rule = "The version is none of those whose rules are known here: 0.1 to 0.5."
        yield Violation("UNKNOWN", where, rule, "0.1 to 0.5", short_text(validated))
        return
    yield from validate_numbers(attributes, where)
    yield from _version(attributes, validated, where, zarr_format)
    base = where / "ome" if "ome" in attributes else where
    yield from validate_collection(attributes, base)
    if validated in OLD_VERSIONS:
        yield from validate_old(metadata, validated, base)
        return
    for part in PARTS:
        if part in metadata:
            yield from _part(part, metadata[part], validated, attributes, base / part)
    if "labels" in metadata:
        yield from validate_labels_group(attributes, where)
    if KEY in attributes:
        kind = next((k for k, part in KINDS.items() if part in metadata), "image")
        broken = own_violations(attributes[KEY], kind, where / KEY)
        yield from broken or validate_reading(attributes, KEY, where / KEY)


def _version(
    attributes: Mapping[str, Any], validated: str, where: Place, zarr_format: int | None
) -> Iterator[Violation]:
    """Require the version, in its place."""
    version, metadata = unwrap(attributes)
    if "ome" in attributes and "labels" not in metadata and version is None:
        rule = "The version of the OME-Zarr Metadata is denoted as a string in the `version` attribute within the `ome` namespace."
        yield Violation("MUST", where / "ome", rule, "a version", "none")
    if ("ome" in attributes) != (validated == "0.5"):
        # 0.5: "In this file, the metadata is stored under the namespaced key `ome` in `attributes`."
        rule = "Since 0.5, and only since, the metadata is stored under the namespaced key `ome` in `attributes`."
        yield Violation("MUST", where, rule, f"the place of version {validated}", validated)
    if zarr_format is not None and zarr_format != format_of(validated):
        # 0.4, "Storage format": "defined by the version 2 of the Zarr specification"; 0.5: "version 3".
        rule = f"OME-Zarr {validated} is defined by version {format_of(validated)} of the Zarr specification."
        yield Violation("MUST", where, rule, f"Zarr v{format_of(validated)}", f"v{zarr_format}")


def _part(
    part: str, value: Any, version: str, attributes: Mapping[str, Any], where: Place
) -> Iterator[Violation]:
    broken = schema_violations(value, f"{version}/{part}", where)
    for violation in broken:
        table = violation.where.rpartition("/")[2]
        if part == "image-label" and table in TABLES and violation.found == "[]":
            yield replace(violation, fix=empty_table_fix(attributes, table, where))
        else:
            yield violation
    found: list[Violation] = []
    if part == "multiscales" and not broken:
        found = list(validate_multiscales(value, version, where))
    elif part == "image-label" and isinstance(value, dict):
        found = list(validate_image_label(value, attributes, where))
    yield from found
    if all(v.severity != "MUST" for v in (*broken, *found)):
        yield from validate_reading(attributes, part, where)
