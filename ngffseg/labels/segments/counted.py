"""Segments counted from level 0, where a label image has no index and perhaps can get none."""

from __future__ import annotations

import shutil
import tempfile
import weakref

from ngffseg import ngff
from ngffseg.labels.index.level_count import write_index_aside
from ngffseg.labels.read.label_image import LabelImage
from ngffseg.labels.segments.segment_index import SegmentIndex
from ngffseg.store import store_errors


def count_segments(image: LabelImage) -> SegmentIndex:
    """Count the segments of any label image: the index that `ngffseg.labels.rebuild_levels` would write.

    Level 0 is read once, block by block, in threads. Nothing is written into the store: the index lies in a
    temporary folder, which is removed with it. Memory is bounded, however many segments there are.

    Parameters
    ----------
    image
        A label image of any version of NGFF, under ``labels`` or at the root, registered or not.

    Raises
    ------
    LabelValueError
        If a label is negative.
    ChunkError
        If a chunk of level 0 cannot be decoded.
    MetadataError
        If the store tells two different shapes.
    """
    folder = tempfile.mkdtemp(prefix="ngffseg-")
    try:
        with store_errors(image.url):
            group = write_index_aside(folder, image)
        index = SegmentIndex(image, ngff.decode_index(dict(group.attrs.asdict())), group)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    weakref.finalize(index, shutil.rmtree, folder, ignore_errors=True)
    return index
