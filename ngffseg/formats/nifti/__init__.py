"""NIfTI files: labelmaps and images."""
