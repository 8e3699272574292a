"""Where things lie in a store."""

LABELS = "labels"
OWN = "ngffseg"
INDEX = f"{OWN}/index"
REGISTRY = f"{OWN}/register"
JOBS = f"{OWN}/jobs"
# Copies of metadata from before a fix: no nodes of Zarr.
BACKUP = f"{OWN}/backup"
# Arrays of a segment index.
INDEX_PARTS = ("segments", "chunks", "fences", "digests", "sizes")
ROOT_FILES = ("zarr.json", ".zattrs", ".zgroup")
