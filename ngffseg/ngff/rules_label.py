"""Rules of ``image-label`` and of the labels group that JSON Schema cannot hold."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from ngffseg.ngff.version import unwrap
from ngffseg.ngff.violation import Fix, Severity, Violation

TABLES = ("colors", "properties")


def judge_image_label(
    label: Mapping[str, Any], attributes: Mapping[str, Any], where: str
) -> Iterator[Violation]:
    """Judge an ``image-label`` object, whatever the schema said of it."""
    values: dict[str, list[Any]] = {}
    for table in TABLES:
        rows = label.get(table)
        if isinstance(rows, list):
            values[table] = [r["label-value"] for r in rows if isinstance(r, dict) and "label-value" in r]
            yield from _exact(values[table], f"{where}/{table}")
            yield from _unique(table, values[table], attributes, f"{where}/{table}")
    if "colors" not in label:
        rule = 'The "image-label" object SHOULD contain the key "colors".'
        yield Violation("SHOULD", where, rule, "colors", "none")
    if "version" not in label:
        rule = 'The "image-label" object SHOULD contain the key "version".'
        yield Violation("SHOULD", where, rule, "a version", "none")
    if len(values) == 2 and set(values["colors"]) != set(values["properties"]):
        rule = "Colors and properties should cover the same label values: some readers refuse the label image otherwise."
        only = sorted(set(values["colors"]) ^ set(values["properties"]), key=str)
        yield Violation("SHOULD", where, rule, "the same label values", f"only in one of them: {only[:5]}")


def group_of(where: str) -> str:
    """Path of the group that an address lies in."""
    return where.partition("#")[0]


def _exact(values: list[Any], where: str) -> Iterator[Violation]:
    for number, value in enumerate(values):
        # JSON Schema counts 5.0 as an integer; as a float it is no exact label.
        if isinstance(value, float) and value.is_integer():
            rule = (
                'The value of "label-value" MUST be an integer corresponding to the value of a given label.'
            )
            yield Violation("MUST", f"{where}/{number}/label-value", rule, "an integer", repr(value))


def _unique(table: str, values: list[Any], attributes: Mapping[str, Any], where: str) -> Iterator[Violation]:
    # 0.4: "The label-value MUST be unique [...] readers that do not [reject duplicates] SHOULD
    # ignore all except the last element." 0.5: "one object for each unique label".
    last = {value: number for number, value in enumerate(values) if not isinstance(value, dict | list)}
    for number, value in enumerate(values):
        if last.get(value, number) != number:
            rule = 'Each "label-value" MUST be unique: one color object for each unique label.'
            if table == "properties":
                rule = 'Each "label-value" should be unique in "properties": readers cannot tell which one holds.'
            edit = partial(_keep_last, table=table, value=value)
            fix = Fix(f"keep the last entry of {value}", group_of(where), _edited(attributes, edit))
            severity: Severity = "MUST" if table == "colors" else "SHOULD"
            yield Violation(
                severity, f"{where}/{number}", rule, "one entry", f"label-value {value} again", fix
            )


def _keep_last(label: dict[str, Any], table: str, value: Any) -> None:
    rows = label[table]
    same = [n for n, row in enumerate(rows) if isinstance(row, dict) and row.get("label-value") == value]
    label[table] = [row for n, row in enumerate(rows) if n not in same[:-1]]


def empty_table_fix(attributes: Mapping[str, Any], table: str, where: str) -> Fix:
    """A fix that removes an empty table."""
    return Fix(
        f"remove the empty list {table!r}",
        group_of(where),
        _edited(attributes, lambda label: label.pop(table)),
    )


def _edited(attributes: Mapping[str, Any], edit: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    changed = copy.deepcopy(dict(attributes))
    edit(unwrap(changed)[1]["image-label"])
    return changed


def judge_labels_group(attributes: Mapping[str, Any], where: str) -> Iterator[Violation]:
    """Judge the attributes of a labels group."""
    version, _ = unwrap(attributes)
    if "ome" in attributes and version is None:
        rule = 'The "ome" dictionary MUST contain "version", the version of the specification as a string.'
        mended = {**attributes, "ome": {"version": "0.5", **attributes["ome"]}}
        fix = Fix('add "version": "0.5"', group_of(where), mended)
        yield Violation("MUST", f"{where}/ome", rule, "a version", "none", fix)
