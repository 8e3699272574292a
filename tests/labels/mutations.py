"""Damage to the metadata documents of a store, by chance that a seed decides."""

from __future__ import annotations

import copy
import json
from pathlib import Path

VALUES = [
    None,
    5,
    0,
    -1,
    1.5,
    "x",
    "",
    [],
    {},
    [[]],
    [1],
    {"a": 1},
    True,
    2**70,
    10**400,
    float("nan"),
    "../x",
    "a#b",
]
FILES = ("zarr.json", ".zattrs", ".zgroup", ".zarray", ".zmetadata")


def documents(store: Path) -> list[Path]:
    """All metadata documents of a store."""
    return sorted(file for file in store.rglob("*") if file.name in FILES)


def damaged(data: bytes, chance) -> bytes:
    """The bytes of a document after one mutation."""
    return chance.choice([*BYTES, *[change_value] * 6])(data, chance)


def change_value(data, chance):
    content = json.loads(data)
    found = list(places(content))
    if not found:
        return b"[]"
    *parents, last = chance.choice(found)
    inner = content
    for key in parents:
        inner = inner[key]
    if chance.random() < 0.3:
        del inner[last]
    elif chance.random() < 0.2 and isinstance(inner, list):
        inner.append(copy.deepcopy(inner[last]))
    else:
        inner[last] = copy.deepcopy(chance.choice(VALUES))
    return json.dumps(content).encode()


def places(value, path=()):
    """Paths to all parts of a JSON value, but for the copies of schemas."""
    if path and path[-1] != "schemas":
        yield path
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield from places(part, (*path, key))


def flip_a_bit(data, chance):
    place = chance.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << chance.randrange(8)]) + data[place + 1 :]


def cut(data, chance):
    return data[: chance.randrange(len(data))]


def nest(data, chance):
    depth = chance.choice([50, 500, 900, 100_000])
    key = chance.choice(
        [b"attributes", b"ome", b"multiscales", b"shape", b"codecs", b"fill_value", b"labels"]
    )
    return b'{"' + key + b'":' + b"[" * depth + b"]" * depth + b"," + data.lstrip()[1:]


def double_a_key(data, chance):
    key = chance.choice([b"attributes", b"zarr_format", b"node_type", b"shape", b"ome"])
    return data.rstrip()[:-1] + b',"' + key + b'":' + chance.choice([b"5", b"[]", b"{}", b"null"]) + b"}"


def replace_all(_data, chance):
    return chance.choice([b"", b"[1]", b"5", b"null", b"\xff\xfe", b"\0" * 20, b"{" * 5])


BYTES = [flip_a_bit, cut, nest, double_a_key, replace_all]
