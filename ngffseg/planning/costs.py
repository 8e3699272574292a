"""What it costs to open a label image and to read it: requests and bytes, counted as they are made."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from ngffseg.labels.read.open import open_labels
from ngffseg.store import Meter, metered


@dataclass(frozen=True, slots=True)
class Cost:
    """What one step costs.

    Parameters
    ----------
    step
        What is done.
    requests
        Requests by verb: GET, LIST, HEAD.
    read_bytes
        Bytes that they carried.
    """

    step: str
    requests: Mapping[str, int]
    read_bytes: int

    @property
    def total(self) -> int:
        """All requests."""
        return sum(self.requests.values())


def access_costs(url: str | os.PathLike[str], name: str | None = None) -> tuple[Cost, ...]:
    """Open a label image and read some of it, counting requests.

    A store on the local disk is read as an object store would be, so that the counts are those of a
    copy of it on S3.

    Raises
    ------
    NgffsegError
        As `open_labels`.
    """
    with metered() as meter:
        image = open_labels(url, name)
        opened = _cost("open", meter)
    with metered() as meter:
        array = image._arrays[0]
        middle = [n // 2 // c * c for n, c in zip(array.shape, array.chunks, strict=True)]
        box = [(a, min(a + c, n)) for a, c, n in zip(middle, array.chunks, array.shape, strict=True)]
        image.read(box)
        chunk = _cost("then one chunk of level 0", meter)
    with metered() as meter:
        image.read(box)
        again = _cost("the same chunk again", meter)
    with metered() as meter:
        fresh = open_labels(url, name)
        fresh.read(level=len(fresh._arrays) - 1)
        overview = _cost("open and read the coarsest level", meter)
    return opened, chunk, again, overview


def _cost(step: str, meter: Meter) -> Cost:
    return Cost(step, dict(meter.requests), meter.read_bytes)
