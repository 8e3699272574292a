"""`Format`: what a module offers that reads and writes one outside format."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from ngffseg.model import Loss, Segmentation, Volume


class Format(Protocol):
    """One outside format; a module with these three functions satisfies it.

    Errors are those of `ngffseg.errors.FormatError` and `ngffseg.errors.LabelValueError`.
    """

    def read(self, path: Path) -> Segmentation:
        """Read layers, segments and geometry of a file."""

    def read_volume(self, path: Path) -> Volume:
        """Read an intensity image with its geometry."""

    def write(self, segmentation: Segmentation, path: Path) -> tuple[Loss, ...]:
        """Write a new file at a path that is free, and tell what the format could not hold.

        Refuses (`ngffseg.errors.LossError`) what would change voxels or label values.
        """
