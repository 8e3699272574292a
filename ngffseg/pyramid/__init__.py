"""Arrays to arrays: the plan of a label pyramid, the kernels and the block engine. No JSON here."""

from ngffseg.pyramid.build import BlockExecutor, build_pyramid
from ngffseg.pyramid.compression import Compression
from ngffseg.pyramid.counts import Counts, are_rows, chunk_digests, merged
from ngffseg.pyramid.estimate import Estimate, Rates, estimate
from ngffseg.pyramid.graphs import shares_tasks
from ngffseg.pyramid.handed import HandedLabels
from ngffseg.pyramid.label_statistics import BlockStatistics, LabelStatistics
from ngffseg.pyramid.options import PYRAMID_KEYWORDS, PyramidOptions
from ngffseg.pyramid.plan import (
    Block,
    Level,
    Pass,
    PyramidPlan,
    counting_plan,
    level0_alone,
    plan_above,
    plan_pyramid,
    unit_grid,
    with_passes,
)
from ngffseg.pyramid.reduction import Method, Reduction, Tie, downsample
from ngffseg.pyramid.update import box_above, labels_of

__all__ = [
    "PYRAMID_KEYWORDS",
    "Block",
    "BlockExecutor",
    "BlockStatistics",
    "Compression",
    "Counts",
    "Estimate",
    "HandedLabels",
    "LabelStatistics",
    "Level",
    "Method",
    "Pass",
    "PyramidOptions",
    "PyramidPlan",
    "Rates",
    "Reduction",
    "Tie",
    "are_rows",
    "box_above",
    "build_pyramid",
    "chunk_digests",
    "counting_plan",
    "downsample",
    "estimate",
    "labels_of",
    "level0_alone",
    "merged",
    "plan_above",
    "plan_pyramid",
    "shares_tasks",
    "unit_grid",
    "with_passes",
]
