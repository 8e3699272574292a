"""What a conversion could not carry over."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Loss:
    """One thing that the target format cannot hold.

    Parameters
    ----------
    where
        Where it was in the segmentation.
    what
        What became of it, in words.
    """

    where: str
    what: str
