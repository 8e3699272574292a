"""Rules of ``image-label`` and of the labels group that JSON Schema cannot hold."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from math import isfinite
from typing import Any

from ngffseg.ngff.schema import short_json
from ngffseg.ngff.version import unwrap
from ngffseg.ngff.violation import Fix, Place, Severity, Violation

TABLES = ("colors", "properties")


Values = list[tuple[int, int | float]]


def validate_image_label(
    label: Mapping[str, Any], attributes: Mapping[str, Any], where: Place
) -> Iterator[Violation]:
    """Validate an ``image-label`` object, whatever the schema said of it."""
    values: dict[str, Values] = {}
    for table in TABLES:
        if isinstance(label.get(table), list):
            values[table] = _values(label[table])
            yield from _exact(table, values[table], attributes, where / table)
            yield from _unique(table, values[table], attributes, where / table)
    if "colors" not in label:
        rule = "The `image-label` dictionary SHOULD contain a `colors` key."
        yield Violation("SHOULD", where, rule, "colors", "none")
    if "version" not in label:
        rule = "The `image-label` dictionary SHOULD contain a `version` key."
        yield Violation("SHOULD", where, rule, "a version", "none")
    if len(values) == 2:
        # In no specification, but ome-zarr-models refuses such a label image.
        rule = "Colors and properties should cover the same label values: some readers refuse the label image otherwise."
        colored, described = ({value for _, value in values[table]} for table in TABLES)
        if colored != described:
            only = sorted(colored ^ described)
            yield Violation(
                "SHOULD", where, rule, "the same label values", f"only in one of them: {only[:5]}"
            )


def _values(rows: list[Any]) -> Values:
    """Label values that are finite numbers, each with the number of its row."""
    numbered = ((n, row.get("label-value")) for n, row in enumerate(rows) if isinstance(row, dict))
    return [
        (n, v) for n, v in numbered if isinstance(v, int | float) and not isinstance(v, bool) and isfinite(v)
    ]


def _exact(table: str, values: Values, attributes: Mapping[str, Any], where: Place) -> Iterator[Violation]:
    # JSON Schema counts 5.0 as an integer; as a float it is no exact label.
    inexact = [(n, v) for n, v in values if isinstance(v, float) and v.is_integer()]
    fix = None
    if inexact and all(abs(v) < 2**53 for _, v in inexact):
        whole = _edited(attributes, _whole)
        fix = Fix(f"write whole label values of {table!r} as integers", where.path, whole)
    for number, value in inexact:
        rule = "`label-value` key whose value MUST be an integer specifying the pixel value for that label."
        yield Violation("MUST", where / number / "label-value", rule, "an integer", repr(value), fix)


def _whole(label: dict[str, Any]) -> None:
    for table in TABLES:
        rows = label[table] if isinstance(label.get(table), list) else []
        for number, value in _values(rows):
            if isinstance(value, float) and value.is_integer():
                rows[number]["label-value"] = int(value)


def _unique(table: str, values: Values, attributes: Mapping[str, Any], where: Place) -> Iterator[Violation]:
    # 0.4: "All the values under the `label-value` key MUST be unique. Clients who choose to not
    # throw an error SHOULD ignore all except the _last_ entry." 0.5: "This array contains one JSON
    # object for each unique custom label."
    rows = unwrap(attributes)[1]["image-label"][table]
    # A broken color would hide the good one: the last that is valid counts.
    ranked = sorted(values, key=lambda row: table != "colors" or _is_color(rows[row[0]]))
    last = {value: number for number, value in ranked}
    if len(last) == len(values):
        return
    keep = partial(_keep_last, table=table, kept=set(last.values()) | _others(values, attributes, table))
    text = f"keep the last valid entry of each label value in {table!r}"
    fix = Fix(text, where.path, _edited(attributes, keep))
    severity: Severity = "MUST" if table == "colors" else "SHOULD"
    rule = "All the values under the `label-value` key MUST be unique."
    if table == "properties":
        rule = "Each label value should be unique in properties: readers cannot tell which entry holds."
    for number, value in values:
        if last[value] != number:
            found = f"label-value {value} again"
            yield Violation(severity, where / number, rule, "one entry", found, fix)


def _is_color(row: Mapping[str, Any]) -> bool:
    """Return True if a row of colors has no color, or one that its rule allows."""
    # "the `rgba` key, whose value MUST be an array of four integers between 0 and 255"
    rgba = row.get("rgba", [0, 0, 0, 0])
    if not isinstance(rgba, list) or len(rgba) != 4:
        return False
    return all(isinstance(c, int) and not isinstance(c, bool) and 0 <= c <= 255 for c in rgba)


def _others(values: Values, attributes: Mapping[str, Any], table: str) -> set[int]:
    """Rows that hold no number as label value: a fix leaves them as they are."""
    rows = unwrap(attributes)[1]["image-label"][table]
    return set(range(len(rows))) - {number for number, _ in values}


def _keep_last(label: dict[str, Any], table: str, kept: set[int]) -> None:
    label[table] = [row for number, row in enumerate(label[table]) if number in kept]


def empty_table_fix(attributes: Mapping[str, Any], table: str, where: Place) -> Fix:
    """A fix that removes an empty table."""
    return Fix(
        f"remove the empty list {table!r}",
        where.path,
        _edited(attributes, lambda label: label.pop(table)),
    )


def _edited(attributes: Mapping[str, Any], edit: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    changed = copy.deepcopy(dict(attributes))
    edit(unwrap(changed)[1]["image-label"])
    return changed


def validate_labels_group(attributes: Mapping[str, Any], where: Place) -> Iterator[Violation]:
    """Validate the attributes of a labels group."""
    version, _ = unwrap(attributes)
    if "ome" in attributes and version is None:
        rule = "The version of the OME-Zarr Metadata is denoted as a string in the `version` attribute within the `ome` namespace."
        ome = attributes["ome"]
        if not isinstance(ome, Mapping):
            yield Violation("MUST", where / "ome", rule, "an object with a version", short_json(ome))
            return
        fixed = {**attributes, "ome": {**ome, "version": "0.5"}}
        fix = Fix(f'{"write" if "version" in ome else "add"} "version": "0.5"', where.path, fixed)
        found = short_json(ome["version"]) if "version" in ome else "none"
        yield Violation("MUST", where / "ome", rule, "a version", found, fix)
