"""Options of writing, by name, and what they mean for a given store."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Literal, cast, get_args

from ngffseg.errors import UsageError
from ngffseg.geometry import Geometry
from ngffseg.keywords import POSITIVE, TRUTH, one_of
from ngffseg.ngff import VERSIONS, Version
from ngffseg.pyramid import PYRAMID_KEYWORDS, PyramidOptions
from ngffseg.workers import CLUSTER, Cluster

VoxelOrder = Literal["canonical", "keep"]


class WriteOptions(PyramidOptions, total=False):
    """Options of `write_labels`: those of `PyramidOptions`, and these.

    ngff
        Version to write, "0.5" (default; Zarr v3, sharded) or "0.4" (Zarr v2). Labels that are
        added to a store take its version.
    cluster
        Who does the work: threads of this process (None, or "threads"), processes of this machine
        ("processes"), a dask cluster by the address of its scheduler or by a `distributed.Client`.
    workers
        Number of threads or processes; by default that of the cores. Without a cluster, so many
        processes of this machine.
    order
        "canonical": labels with three space axes in the frame of the patient are stored in the order LPS+ (z to
        superior, y to posterior, x to the left) by exact flips and permutations, as all readers of OME-Zarr place
        alike; "keep": in the order in which they were given. Files are imported in the canonical one by default,
        arrays are written as they are. Other labels never move.
    resume
        Go on where an interrupted run of the same write has stopped, and do nothing where all is there
        already. What has changed since is refused. Dask arrays are known by their names, so functions that
        make them should be those of a module: dask names others anew in each run.
    crop
        Leave out voxels of the labels that lie outside of the image that they join.
    resample
        "nearest": labels on another grid than that of the image take the value of the voxel that lies closest.
        Middles between two voxels go to the one of higher index.
    force_place
        Write labels that do not lie on the image that they join, or whose frame of reference is another one.
        Those on another grid keep their own.
    """

    ngff: Version
    cluster: Cluster
    workers: int | None
    order: VoxelOrder
    resume: bool
    crop: bool
    resample: Literal["nearest"] | None
    force_place: bool


# Of those who build levels of labels that lie somewhere already.
LEVEL_KEYWORDS = PYRAMID_KEYWORDS | {
    "ngff": one_of(VERSIONS).or_none(),
    "cluster": CLUSTER,
    "workers": POSITIVE.or_none(),
    "order": one_of(get_args(VoxelOrder)),
    "resume": TRUTH,
}
WRITE_KEYWORDS = LEVEL_KEYWORDS | {
    "crop": TRUTH,
    "resample": one_of(("nearest",)).or_none(),
    "force_place": TRUTH,
}


def fitted_options(
    options: WriteOptions, version: Version, image: Sequence[tuple[int, ...]], grid: Geometry
) -> PyramidOptions:
    """The options of the plan, fitted to the version and to the levels of the image.

    Raises
    ------
    UsageError
        If shards are asked for in 0.4, or another number of levels than the image has.
    """
    known = PyramidOptions.__annotations__
    chosen = cast("PyramidOptions", {k: v for k, v in options.items() if k in known})
    if version == "0.4":
        if chosen.get("shards") is not None:
            raise UsageError("shards: OME-Zarr 0.4 is Zarr v2, which has none: leave them out or write 0.5")
        chosen["shards"] = None
    if image:
        _follow(image, chosen, grid)
    return chosen


def _follow(image: Sequence[tuple[int, ...]], chosen: PyramidOptions, grid: Geometry) -> None:
    """Give the labels as many levels as the image has, by the same factors.

    NGFF, "labels" metadata: "the `datasets` list MUST have the same number of entries (scale
    levels) as the original unlabeled image."
    """
    asked = chosen.get("levels")
    if asked is not None and asked != len(image):
        raise UsageError(
            f"levels {asked}: the image of the store has {len(image)}, and labels must have as many"
        )
    factors = chosen.get("factors")
    if factors is None:
        chosen["factors"] = factors_between(image, grid)
        chosen["levels"] = len(image)
    elif isinstance(factors, int) or any(isinstance(f, int) for f in factors):
        chosen["levels"] = len(image)
    elif len(factors) + 1 != len(image):
        raise UsageError(
            f"factors lead to {len(factors) + 1} levels: the image of the store has {len(image)}"
        )


def factors_between(shapes: Sequence[tuple[int, ...]], grid: Geometry) -> list[tuple[int, ...]]:
    """Whole factors between levels of these shapes, finest first."""
    return [_ratio(a, b, grid) for a, b in itertools.pairwise(shapes)]


def _ratio(finer: tuple[int, ...], coarser: tuple[int, ...], grid: Geometry) -> tuple[int, ...]:
    """Whole factors that come closest to those of the image; other writers round shapes."""
    return tuple(
        max(1, round(a / max(1, b))) if axis in grid.spatial_axes else 1
        for axis, (a, b) in enumerate(zip(finer, coarser, strict=True))
    )
