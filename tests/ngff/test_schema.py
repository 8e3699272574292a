"""The schemas themselves; that the wheel carries them is tested in `tests/release`."""

import json
from pathlib import Path

import jsonschema

from ngffseg.ngff import all_schemas, schema_violations

ROOT = Path(__file__).parents[2]


def test_schemas_are_valid_and_explain_themselves():
    schemas = all_schemas()
    assert len(schemas) == len(list((ROOT / "schemas").glob("*/*.schema.json"))) == 19
    for name, schema in schemas.items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert schema["$id"] == name
        assert schema["title"]
        assert schema["description"]


def test_a_large_label_is_exact_in_json():
    for value in (2**53 + 1, 2**63 + 5, 2**64 - 1):
        text = json.dumps({"colors": [{"label-value": value}]})
        assert schema_violations(json.loads(text), "0.5/image-label") == []
        assert json.loads(text)["colors"][0]["label-value"] == value
