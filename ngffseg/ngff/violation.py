"""`Violation`: one broken rule, or what could not be validated, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

# UNKNOWN: it cannot be validated whether a rule is broken.
Severity = Literal["MUST", "SHOULD", "UNKNOWN"]


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a store: a group or an array, or a key of its attributes.

    Parameters
    ----------
    path
        Path of the group or array from the root; empty for the root itself. It may hold any character.
    pointer
        JSON pointer (RFC 6901) into its attributes; None for the node itself.
    """

    path: str = ""
    pointer: str | None = None

    def __truediv__(self, part: str | int) -> Place:
        """A key or an index below this place."""
        # RFC 6901: "the characters '~' and '/' need to be encoded as '~0' and '~1'".
        escaped = str(part).replace("~", "~0").replace("/", "~1")
        return Place(self.path, f"{self.pointer or ''}/{escaped}")

    def __str__(self) -> str:
        return self.path if self.pointer is None else f"{self.path}#{self.pointer}"


@dataclass(frozen=True, slots=True)
class Fix:
    """How to fix a group.

    Parameters
    ----------
    text
        What the fix does, in words.
    group
        Path of the group from the root of the store.
    attributes
        All attributes that the group would have then.
    """

    text: str
    group: str
    attributes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule, or what could not be validated.

    Parameters
    ----------
    severity
        MUST or SHOULD, as in RFC 2119; UNKNOWN for what cannot be validated, such as an unknown version.
    place
        Where it is.
    rule
        The sentence of the specification; for UNKNOWN the reason why it cannot be validated.
    expected
        What would be right.
    found
        What is there.
    fix
        How to fix it, where that needs no guess.
    """

    severity: Severity
    place: Place
    rule: str
    expected: str
    found: str
    fix: Fix | None = None

    @property
    def where(self) -> str:
        """The place as text, which is the path of the node, then ``#`` and a JSON pointer into its attributes."""
        return str(self.place)


def as_json(violation: Violation) -> dict[str, Any]:
    """A violation, for programs."""
    return {
        "severity": violation.severity,
        "where": violation.where,
        "path": violation.place.path,
        "pointer": violation.place.pointer,
        "rule": violation.rule,
        "expected": violation.expected,
        "found": violation.found,
        "fix": violation.fix.text if violation.fix is not None else None,
    }
