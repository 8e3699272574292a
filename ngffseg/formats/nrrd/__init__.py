"""NRRD files: labelmaps, images, and the segmentations of 3D Slicer."""
