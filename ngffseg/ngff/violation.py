"""`Violation`: one broken rule, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["MUST", "SHOULD"]


@dataclass(frozen=True, slots=True)
class Fix:
    """How to mend a group: in words, its path, and all attributes that it would have then."""

    text: str
    group: str
    attributes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule.

    Parameters
    ----------
    severity
        MUST or SHOULD, as in RFC 2119.
    where
        Path of the group or array, then ``#`` and a JSON pointer into its attributes.
    rule
        The sentence of the specification.
    expected, found
        What would be right, and what is there.
    fix
        How to mend it, where that needs no guess.
    """

    severity: Severity
    where: str
    rule: str
    expected: str
    found: str
    fix: Fix | None = None


def as_json(violation: Violation) -> dict[str, Any]:
    """A violation, for programs."""
    return {
        "severity": violation.severity,
        "where": violation.where,
        "rule": violation.rule,
        "expected": violation.expected,
        "found": violation.found,
        "fix": violation.fix.text if violation.fix is not None else None,
    }
