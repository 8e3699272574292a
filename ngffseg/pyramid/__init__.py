"""Arrays to arrays: the plan of a label pyramid, the kernels and the block engine. No JSON here."""

from typing import TYPE_CHECKING

from ngffseg.face import lazy_face

if TYPE_CHECKING:
    from ngffseg.pyramid.build import BlockExecutor, build_pyramid
    from ngffseg.pyramid.compression import Compression
    from ngffseg.pyramid.counts import Counts, are_rows, chunk_digests, merged
    from ngffseg.pyramid.graphs import held_bytes, shares_tasks
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
    from ngffseg.pyramid.work_estimate import Estimate, Rates, estimate
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "build": "BlockExecutor build_pyramid",
            "compression": "Compression",
            "counts": "Counts are_rows chunk_digests merged",
            "graphs": "held_bytes shares_tasks",
            "handed": "HandedLabels",
            "label_statistics": "BlockStatistics LabelStatistics",
            "options": "PYRAMID_KEYWORDS PyramidOptions",
            "plan": "Block Level Pass PyramidPlan counting_plan level0_alone plan_above plan_pyramid unit_grid with_passes",
            "reduction": "Method Reduction Tie downsample",
            "update": "box_above labels_of",
            "work_estimate": "Estimate Rates estimate",
        },
    )

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
    "held_bytes",
    "labels_of",
    "level0_alone",
    "merged",
    "plan_above",
    "plan_pyramid",
    "shares_tasks",
    "unit_grid",
    "with_passes",
]
