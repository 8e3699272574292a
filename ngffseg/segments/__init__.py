"""What can be told of the segments of a stored label image."""

from ngffseg.segments.counted import count_segments
from ngffseg.segments.index import SegmentEntry, SegmentIndex, segment_index
from ngffseg.segments.known import known_segments

__all__ = ["SegmentEntry", "SegmentIndex", "count_segments", "known_segments", "segment_index"]
