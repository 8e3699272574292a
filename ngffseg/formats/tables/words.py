"""Columns of label tables: the words that people give them, and what they mean."""

from __future__ import annotations

import re

# Words for one thing; the first that a table has is taken, and the others are properties of its segments.
VALUE = (
    "labelvalue", "value", "index", "idx", "labelindex", "labelid", "labelnumber", "id", "number", "no", "key",
    "label",
)  # fmt: skip
# VISCERAL: "Name of the structure (consistent with RadLex)".
NAME = (
    "name", "labelname", "structurename", "segmentname", "classname", "nameofthestructureconsistentwithradlex",
    "structure", "segment", "class", "region", "roi", "label",
)  # fmt: skip
COLOR = ("color", "colour", "hex", "rgb", "rgba", "hexcolor", "colorhex")
ID, LAYER, STATUS = ("id", "segmentid"), ("layer",), ("status",)
PARTS = (
    ("colorr", "red", "r"),
    ("colorg", "green", "g"),
    ("colorb", "blue", "b"),
    ("colora", "alpha", "opacity", "a"),
)
# Slicer's columns of codes; some write AnatomicRegion for Region.
CODES = ("Category", "Type", "TypeModifier", "Region", "RegionModifier")
CODE_PARTS = ("CodingScheme", "CodeValue", "CodeMeaning")


def plain_word(text: object) -> str:
    """A word without case, spaces and signs."""
    return re.sub(r"[^a-z0-9]", "", str(text).lower())


def code_words(code: str, part: str) -> tuple[str, ...]:
    """Words of a column of codes."""
    word = plain_word(code + part)
    return (word, f"anatomic{word}") if code.startswith("Region") else (word,)


class Columns:
    """Which column of a table means what, by number.

    Parameters
    ----------
    header
        The words of all columns.
    """

    def __init__(self, header: list[str]) -> None:
        self.header = header
        self._free = dict[str, int]()
        for number, word in enumerate(header):
            self._free.setdefault(plain_word(word), number)
        self.value = self._take(VALUE)
        self.name = self._take(NAME)
        self.color = self._take(COLOR)
        self.parts = [self._take(words) for words in PARTS]
        self.id, self.layer, self.status = self._take(ID), self._take(LAYER), self._take(STATUS)
        self.codes = {code: [self._take(code_words(code, part)) for part in CODE_PARTS] for code in CODES}
        taken = {self.value, self.name, self.color, *self.parts, self.id, self.layer, self.status}
        taken |= {number for numbers in self.codes.values() for number in numbers}
        self.properties = [n for n in range(len(header)) if n not in taken and header[n].strip()]

    @property
    def known(self) -> bool:
        """Return True if the table is one of labels: it has values, and names or colors."""
        says = (self.name, self.color, self.parts[0])
        return self.value is not None and any(number is not None for number in says)

    def _take(self, words: tuple[str, ...]) -> int | None:
        found = next((word for word in words if word in self._free), None)
        return None if found is None else self._free.pop(found)


def free_properties(keys: set[str], value: str) -> list[str]:
    """Names of properties that can be columns beside those of a table that is written, sorted.

    Parameters
    ----------
    keys
        Names of properties.
    value
        The word of the column of values: those that would be taken before it, and those that mean something
        else, are none.
    """
    own = plain_word(value)
    taken = {*VALUE[: VALUE.index(own) + 1], NAME[0], *COLOR, *ID, *LAYER, *STATUS}
    taken |= {word for words in PARTS for word in words}
    taken |= {word for code in CODES for part in CODE_PARTS for word in code_words(code, part)}
    return sorted(key for key in keys if key == key.strip() != "" and plain_word(key) not in taken)
