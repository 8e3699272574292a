"""What is known of the segments of a label image for people to look at, where anything is."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from ngffseg.errors import ChunkError, MetadataError, StaleError, StoreNotFoundError
from ngffseg.labels.read.label_image import LabelImage
from ngffseg.labels.segments.segment_index import segment_index

# Larger tables are not read for a list or a table on a screen.
MOST_ROWS = 1_000_000


def known_segments(image: LabelImage) -> dict[str, npt.NDArray[Any]]:
    """`SegmentIndex.table` of a label image; empty where it has no index, or one too large to be looked at.

    Other programs write no index, and one may be damaged or belong to other labels: what is shown does not
    depend on it.

    Raises
    ------
    StoreError
        If the store or the network fails, or does not permit to read the index: whether there is one is not known.
    """
    try:
        index = segment_index(image)
        return index.table() if len(index) <= MOST_ROWS else {}
    except (StoreNotFoundError, MetadataError, ChunkError, StaleError):
        return {}
