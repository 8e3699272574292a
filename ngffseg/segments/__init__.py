"""What can be told of the segments of a stored label image."""

from ngffseg.segments.index import SegmentEntry, SegmentIndex, segment_index

__all__ = ["SegmentEntry", "SegmentIndex", "segment_index"]
