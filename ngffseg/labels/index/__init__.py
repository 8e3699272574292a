"""The segment index: written, and read a part at a time."""
