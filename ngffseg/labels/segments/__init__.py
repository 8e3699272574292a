"""What can be told of the segments of a label image, as far as it is true of level 0."""
