"""The JSON schemas of ngffseg (draft 2020-12), and what they find."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ngffseg.ngff.violation import Place, Violation

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

LONGEST = 120


def _folder() -> Traversable:
    """The schemas: inside the package when it is installed, beside it in a checkout."""
    packed = files("ngffseg") / "schemas"
    return packed if packed.is_dir() else Path(__file__).parents[2] / "schemas"


@cache
def _by_name() -> dict[str, dict[str, Any]]:
    found = {}
    for folder in _folder().iterdir():
        for file in folder.iterdir():
            name = f"{folder.name}/{file.name.removesuffix('.schema.json')}"
            found[name] = json.loads(file.read_text("utf-8"))
    return dict(sorted(found.items()))


def all_schemas() -> dict[str, dict[str, Any]]:
    """All schemas by their id."""
    return {schema["$id"]: schema for schema in _by_name().values()}


def schemas_of(version: str) -> dict[str, dict[str, Any]]:
    """Our schemas and those of a version of OME-Zarr, by their id, as each store has a copy of them."""
    chosen = {k: s for k, s in _by_name().items() if k.startswith(("ngffseg/", f"{version}/"))}
    return {schema["$id"]: schema for schema in chosen.values()}


def schema(name: str) -> dict[str, Any]:
    """A schema by its name, such as ``0.5/image-label``."""
    return _by_name()[name]


@cache
def _validator(name: str) -> Draft202012Validator:
    # Imported here: half of the verbs find no document of ours to look at.
    from jsonschema import Draft202012Validator
    from referencing import Registry, Resource

    resources = [(i, Resource.from_contents(s)) for i, s in all_schemas().items()]
    return Draft202012Validator(schema(name), registry=Registry().with_resources(resources))


def schema_violations(instance: Any, name: str, place: Place | None = None) -> list[Violation]:
    """What a schema finds in a JSON value.

    Parameters
    ----------
    instance
        The value.
    name
        Name of the schema, such as ``0.5/labels``.
    place
        Where the value is.
    """
    errors = sorted(_validator(name).iter_errors(instance), key=lambda e: [str(p) for p in e.absolute_path])
    return [_violation(error, place or Place()) for error in errors]


def _violation(error: ValidationError, place: Place) -> Violation:
    for part in error.absolute_path:
        place /= part
    expected = (
        error.message
        if error.validator in ("required", "oneOf")
        else f"{error.validator} {json.dumps(error.validator_value)}"
    )
    return Violation("MUST", place, _rule(error), short_text(expected), short_json(error.instance))


def _rule(error: ValidationError) -> str:
    """The sentence beside the broken keyword: the description of its schema, or the title."""
    if isinstance(error.schema, dict) and "description" in error.schema:
        return str(error.schema["description"])
    return f"The JSON schema asks for {error.validator}."


def short_json(value: Any) -> str:
    """A JSON value as text, cut where it is long."""
    return short_text(json.dumps(value))


def short_text(text: str) -> str:
    """The text, cut where it is long."""
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
