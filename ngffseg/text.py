"""Text of others, such as names of segments, as people may see it."""

from __future__ import annotations

import re

# Control characters (C0 and C1, ESC among them), marks that change the order of what is read, separators of
# lines, and halves of characters, which no encoding has.
UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def plain(text: str) -> str:
    """The text in one line, in which what a terminal would obey instead of showing it is written out."""
    return UNSAFE.sub(lambda found: _written(found[0]), text)


def _written(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def plain_json(text: str) -> str:
    """JSON without white space but spaces and line ends, of the same value, which any encoding has."""
    return UNSAFE.sub(lambda found: found[0] if found[0] == "\n" else f"\\u{ord(found[0]):04x}", text)
