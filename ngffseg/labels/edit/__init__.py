"""A box of stored labels, or their table of segments, changes, and all that follows from it."""
