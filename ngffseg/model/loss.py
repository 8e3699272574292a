"""What a conversion could not carry over."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Loss:
    """One thing that the target format cannot hold: where it was and what became of it."""

    where: str
    what: str
