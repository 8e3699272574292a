"""Level 0 of a label image, counted as it is stored; nothing is written into its store."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import zarr

from ngffseg import ngff
from ngffseg.errors import MetadataError
from ngffseg.labels.index.write import write_counted
from ngffseg.labels.nodes.find import find_group
from ngffseg.labels.nodes.group_document import put_group
from ngffseg.labels.read.label_image import LabelImage
from ngffseg.labels.read.lazy_level import source_labels
from ngffseg.pyramid import LabelStatistics, PyramidPlan, build_pyramid, counting_plan, plan_above
from ngffseg.store import open_store
from ngffseg.workers import ThreadExecutor


@contextlib.contextmanager
def counted_level0(plan: PyramidPlan, labels: Any) -> Iterator[LabelStatistics]:
    """The labels of level 0, counted block by block by threads of this process.

    Parameters
    ----------
    plan
        A plan of the pyramid.
    labels
        Level 0: an array, or its chunks.
    """
    whole, source = counting_plan(plan), source_labels(labels)
    with LabelStatistics(whole) as statistics:
        build_pyramid(whole, source, [source], ThreadExecutor(), statistics=statistics)
        yield statistics


def level0_plan(image: LabelImage) -> PyramidPlan:
    """A plan of level 0 of any label image.

    Raises
    ------
    MetadataError
        If the store says two things of the shape.
    """
    level0 = image._arrays[0]
    if level0.shape != image.geometry.shape:
        raise MetadataError(
            f"{image.url}: level 0 of {image.name!r} is {level0.shape}, not {image.geometry.shape}"
        )
    return plan_above(image.geometry, level0.dtype, level0.chunks, level0.shards, levels=1)


def write_index_aside(folder: str, image: LabelImage) -> zarr.Group:
    """Count level 0 of a label image and write its index into another folder; returns the group of it."""
    plan = level0_plan(image)
    with counted_level0(plan, image._arrays[0]) as statistics:
        layout = write_counted(folder, "", plan.levels[0], statistics, None, "0.5")
    put_group(folder, "", "0.5", ngff.encode_index(layout))
    group = find_group(open_store(folder), "")
    assert group is not None
    return group
