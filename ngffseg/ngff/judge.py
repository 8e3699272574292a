"""The judge of attributes: schemas first, then the rules that they cannot hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ngffseg.ngff.collection import SPATIALDATA, metadata_kinds
from ngffseg.ngff.document import KEY
from ngffseg.ngff.migration import own_violations
from ngffseg.ngff.rules_collection import judge_collection
from ngffseg.ngff.rules_image import judge_multiscales
from ngffseg.ngff.rules_label import (
    TABLES,
    empty_table_fix,
    judge_image_label,
    judge_labels_group,
)
from ngffseg.ngff.rules_old import judge_old
from ngffseg.ngff.rules_reading import judge_numbers, judge_reading
from ngffseg.ngff.schema import schema_violations, short_text
from ngffseg.ngff.version import OLD_VERSIONS, is_unknown, unwrap
from ngffseg.ngff.version import zarr_format as format_of
from ngffseg.ngff.violation import Place, Violation

# Schemas of the key of ngffseg, by what its group holds.
KINDS = {"label": "image-label", "labels": "labels"}
PARTS = ("multiscales", "image-label", "labels", "omero")


def judge_attributes(
    attributes: Mapping[str, Any], where: str = "", *, zarr_format: int | None = None
) -> list[Violation]:
    """Judge the attributes of one group alone: whatever of OME-Zarr they hold.

    Parameters
    ----------
    attributes
        All attributes of the group.
    where
        Path of the group, for the places of violations.
    zarr_format
        Zarr format of the group, 2 or 3, where it is known.
    """
    return list(_judge(attributes, Place(where, ""), zarr_format))


def _judge(attributes: Mapping[str, Any], where: Place, zarr_format: int | None) -> Iterator[Violation]:
    version, metadata = unwrap(attributes)
    if not metadata_kinds(attributes):
        rule = "An OME-Zarr group holds multiscales, image-label, labels, a plate or a well."
        found = f"keys {sorted(map(str, metadata))[:5]}"
        yield Violation("MUST", where, rule, "OME-Zarr metadata", short_text(found))
        return
    if metadata_kinds(attributes) == (SPATIALDATA,):
        yield from judge_collection(attributes, where)
        return
    judged = version or ("0.5" if "ome" in attributes else "0.4")
    if is_unknown(judged):
        rule = "The version is none of those whose rules are known here: 0.1 to 0.5."
        yield Violation("UNKNOWN", where, rule, "0.1 to 0.5", short_text(judged))
        return
    yield from judge_numbers(attributes, where)
    yield from _version(attributes, judged, where, zarr_format)
    base = where / "ome" if "ome" in attributes else where
    yield from judge_collection(attributes, base)
    if judged in OLD_VERSIONS:
        yield from judge_old(metadata, judged, base)
        return
    for part in PARTS:
        if part in metadata:
            yield from _part(part, metadata[part], judged, attributes, base / part)
    if "labels" in metadata:
        yield from judge_labels_group(attributes, where)
    if KEY in attributes:
        kind = next((k for k, part in KINDS.items() if part in metadata), "image")
        broken = own_violations(attributes[KEY], kind, where / KEY)
        yield from broken or judge_reading(attributes, KEY, where / KEY)


def _version(
    attributes: Mapping[str, Any], judged: str, where: Place, zarr_format: int | None
) -> Iterator[Violation]:
    """Judge whether the version is told, and in its place."""
    version, metadata = unwrap(attributes)
    if "ome" in attributes and "labels" not in metadata and version is None:
        rule = "The version of the OME-Zarr Metadata is denoted as a string in the `version` attribute within the `ome` namespace."
        yield Violation("MUST", where / "ome", rule, "a version", "none")
    if ("ome" in attributes) != (judged == "0.5"):
        # 0.5: "In this file, the metadata is stored under the namespaced key `ome` in `attributes`."
        rule = "Since 0.5, and only since, the metadata is stored under the namespaced key `ome` in `attributes`."
        yield Violation("MUST", where, rule, f"the place of version {judged}", judged)
    if zarr_format is not None and zarr_format != format_of(judged):
        # 0.4, "Storage format": "defined by the version 2 of the Zarr specification"; 0.5: "version 3".
        rule = f"OME-Zarr {judged} is defined by version {format_of(judged)} of the Zarr specification."
        yield Violation("MUST", where, rule, f"Zarr v{format_of(judged)}", f"v{zarr_format}")


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
        found = list(judge_multiscales(value, version, where))
    elif part == "image-label" and isinstance(value, dict):
        found = list(judge_image_label(value, attributes, where))
    yield from found
    if all(v.severity != "MUST" for v in (*broken, *found)):
        yield from judge_reading(attributes, part, where)
