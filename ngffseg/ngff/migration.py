"""Our own documents in their newest version, whichever version of ngffseg wrote them.

A document names its schema, as ``urn:ngffseg:schema:index:2``; those of version 1 (ngffseg 0.1) name it only in part.
A step leads from each version to the next one. Documents are changed in memory when they are read; what
lies in a store changes only where it is written anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ngffseg.errors import MetadataError
from ngffseg.ngff.schema import schema, schema_violations
from ngffseg.ngff.violation import Place, Violation

FIRST = 1
Document = dict[str, Any]


def schema_id(kind: str) -> str:
    """Id of the newest schema of a kind of document, such as ``index``."""
    return str(schema(f"ngffseg/{kind}")["$id"])


def current(encoded: Any, kind: str) -> Any:
    """The document in the version of its newest schema; what is no JSON object, as it is.

    Parameters
    ----------
    encoded
        The JSON value, as it is stored.
    kind
        What it is: the name of its schema.

    Raises
    ------
    MetadataError
        If it names a schema that this version of ngffseg does not know.
    """
    if not isinstance(encoded, Mapping):
        return encoded
    document, newest = dict(encoded), _number(schema_id(kind))
    version = _version(document, kind)
    if version > newest:
        raise MetadataError(
            f"the {kind} document has schema version {version}, this ngffseg knows up to {newest}: update ngffseg"
        )
    for number in range(version, newest):
        document = STEPS[number](document, kind)
    return document


def own_violations(encoded: Any, kind: str, place: Place) -> list[Violation]:
    """What the newest schema finds in a document of ours, of whichever version.

    Parameters
    ----------
    encoded
        The JSON value.
    kind
        What it is: the name of its schema.
    place
        Where the value is.
    """
    name = f"ngffseg/{kind}"
    try:
        return schema_violations(current(encoded, kind), name, place)
    except MetadataError as error:
        rule = "The document names a schema that is newer than this version of ngffseg."
        return [Violation("UNKNOWN", place / "schema", rule, f"up to {schema_id(kind)}", str(error))]


def _version(document: Mapping[str, Any], kind: str) -> int:
    """The version that a document tells; the first one where it tells none that makes sense."""
    schema = document.get("schema")
    prefix, _, number = schema.rpartition(":") if isinstance(schema, str) else ("", "", "")
    known = prefix == schema_id(kind).rpartition(":")[0] and number.isascii() and number.isdigit()
    # At most some digits: a number of thousands of them would be no version.
    return int(number) if known and 0 < len(number) < 10 and int(number) else FIRST


def _number(identifier: str) -> int:
    return int(identifier.rpartition(":")[2])


def _from_1(document: Document, kind: str) -> Document:
    """Version 2: every document names its schema. Before, only segmentations and segment indices did."""
    inside = dict(document)
    if kind == "labels" and isinstance(document.get("segmentations"), list):
        inside["segmentations"] = [current(each, "segmentation") for each in document["segmentations"]]
    if kind == "registration":
        inside["segmentation"] = current(document.get("segmentation"), "segmentation")
    return {**inside, "schema": f"urn:ngffseg:schema:{kind}:2"}


# By the version that a step leads away from.
STEPS: Mapping[int, Callable[[Document, str], Document]] = {1: _from_1}
