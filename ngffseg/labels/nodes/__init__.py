"""Groups and arrays of a Zarr store; nothing here knows of segmentations."""
