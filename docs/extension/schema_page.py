"""The directive ``schema``: a JSON schema of ``schemas/`` as a table of its fields."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

SCHEMAS = Path(__file__).parents[2] / "schemas"
Schema = dict[str, Any]
Row = tuple[str, Schema, bool]
JOINED = {"oneOf": " or ", "anyOf": " or ", "allOf": " and "}
LIMITS = (
    ("minimum", "maximum", ""),
    ("minItems", "maxItems", " members"),
    ("minLength", "maxLength", " characters"),
)


class SchemaDirective(SphinxDirective):
    """A schema by its file name below ``schemas/``: what it is, and each of its fields."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Parse the Markdown of the schema in place of the directive."""
        path = SCHEMAS / self.arguments[0]
        self.env.note_dependency(str(path))
        text = "\n".join(schema_lines(json.loads(path.read_text(encoding="utf-8"))))
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def schema_lines(schema: Schema) -> Iterator[str]:
    """The schema as Markdown."""
    yield from (f"({anchor(schema['$id'])})=", f"## {schema['title']}", "")
    yield from (_sentences(schema.get("description", "")), "", f"`{schema['$id']}`", "")
    yield from _table(list(_fields(schema, "")) or [("(all of it)", schema, True)])
    for name, part in schema.get("$defs", {}).items():
        yield from ("", f"**{name}**: {_sentences(part.get('description', ''))}", "")
        yield from _table(list(_fields(part, "")) or [(f"({name})", part, True)])
    yield ""


def _table(rows: list[Row]) -> Iterator[str]:
    """Fields as a table."""
    yield from ("| field | kind | required | meaning |", "|---|---|---|---|")
    for name, field, required in rows:
        cells = (f"`{name}`", _kind(field), "yes" if required else "", _sentences(_meaning(field)))
        yield f"| {' | '.join(cells)} |"


def anchor(name: str) -> str:
    """The target of a schema within the pages."""
    return name.replace(":", "-").replace(".", "-")


def _fields(schema: Schema, above: str) -> Iterator[Row]:
    """Each field below a schema by its path, with whether it is required: ``list[].field``, ``map.*.field``."""
    named = {
        name: (field, name in schema.get("required", ()))
        for name, field in schema.get("properties", {}).items()
    }
    if isinstance(schema.get("additionalProperties"), dict):
        named["*"] = (schema["additionalProperties"], False)
    for name, (field, required) in named.items():
        path = f"{above}{name}"
        yield path, field, required
        for inner in _alternatives(field):
            yield from _fields(inner, f"{path}.")
            if isinstance(inner.get("items"), dict):
                for item in _alternatives(inner["items"]):
                    yield from _fields(item, f"{path}[].")


def _alternatives(schema: Schema) -> list[Schema]:
    """The schema, and those of which it has to fulfil one or all."""
    return [schema, *(each for key in JOINED for each in schema.get(key, ()))]


def _meaning(field: Schema) -> str:
    """What the schema says about a field."""
    return str(field.get("description") or field.get("title") or "")


def _kind(field: Schema) -> str:
    """Type and limits of a field, in words."""
    if "$ref" in field:
        return _link(field["$ref"])
    if "const" in field:
        return _code(field["const"])
    if "enum" in field:
        return " or ".join(map(_code, field["enum"]))
    for key, word in JOINED.items():
        if key in field and "type" not in field:
            return word.join(dict.fromkeys(map(_kind, field[key])))
    told = field.get("type", "anything")
    kinds = [told] if isinstance(told, str) else told
    items = field.get("items", {})
    parts = [_kind(each) for each in field.get("prefixItems", [items] if items else [])]
    parts = [f"({part})" if ", " in part else part for part in parts]
    words = [f"{kind} of {' and '.join(parts)}" if kind == "array" and parts else kind for kind in kinds]
    return ", ".join([" or ".join(words), *_limits(field)])


def _limits(field: Schema) -> Iterator[str]:
    """Smallest and largest values, numbers of members, and patterns."""
    for least, most, what in LIMITS:
        low, high = field.get(least), field.get(most)
        if low is not None and low == high:
            yield f"{low}{what}"
        elif low is not None or high is not None:
            ends = [f"from {low}" if low is not None else "", f"to {high}" if high is not None else ""]
            yield " ".join(filter(None, ends)) + what
    if "exclusiveMinimum" in field:
        yield f"above {field['exclusiveMinimum']}"
    if field.get("uniqueItems"):
        yield "no two alike"
    if "pattern" in field:
        yield f"pattern `{field['pattern']}`".replace("|", "\\|")


def _link(target: str) -> str:
    """A reference to another schema, or to a part of this one."""
    if target.startswith("#/"):
        return f"*{target.rpartition('/')[2]}*, below"
    return f"[{target.removeprefix('urn:ngffseg:schema:')}](#{anchor(target)})"


def _code(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False).replace("|", "\\|")
    return f"`{text}`"


def _sentences(text: str) -> str:
    """Text of a schema within a cell of a table."""
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of the directive."""
    app.add_directive("schema", SchemaDirective)
    return {"parallel_read_safe": True}
