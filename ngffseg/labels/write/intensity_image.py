"""The image that labels belong to, written as multiscales through ome-zarr."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import zarr
from zarr.abc.buffer import Buffer, BufferPrototype
from zarr.abc.store import ByteRequest, Store
from zarr.storage import WrapperStore

from ngffseg import ngff
from ngffseg.dask_arrays import is_dask_array, lazy_array
from ngffseg.geometry import scales
from ngffseg.labels.jobs.interrupts import defer_interrupts
from ngffseg.labels.jobs.job import Job
from ngffseg.labels.nodes.find import attributes_of
from ngffseg.labels.nodes.paths import ROOT_FILES
from ngffseg.labels.plan.metadata import image_multiscales, validated
from ngffseg.labels.read.lazy_level import LazyLevel, checked
from ngffseg.model import Volume
from ngffseg.pyramid import PyramidPlan, plan_pyramid
from ngffseg.store import inside, open_store, remove
from ngffseg.workers import OnClient, dask_threads

if TYPE_CHECKING:
    import dask.array as da


def image_paths(labels: PyramidPlan) -> tuple[str, ...]:
    """Paths that ome-zarr gives to the levels of an image."""
    return tuple(f"s{number}" for number in range(len(labels.levels)))


def write_image(job: Job, image: Volume, labels: PyramidPlan, version: ngff.Version) -> dict[str, Any]:
    """Write an intensity image with as many levels as its labels have, by the same factors.

    Its levels are means over the windows, so that a voxel covers the same place as the label. What an
    earlier run has left of it is written anew. Returns the attributes of its group.
    """
    # Imported here: ome-zarr takes 1.7 s to import, which labels alone should not pay. It warns
    # of a class of its own while it is imported.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from ome_zarr.format import FormatV04, FormatV05
        from ome_zarr.writer import write_multiscale

    chunked: Any = {} if version == "0.5" else {"shards": None}
    factors = [_factors(image, labels, level.factors) for level in labels.levels[1:]]
    plan = plan_pyramid(image.geometry, np.uint8, factors=factors, levels=len(labels.levels), **chunked)
    levels: list[Any] = [_as_dask(checked(image.data))]
    for level in plan.levels[1:]:
        levels.append(mean_level(levels[-1], level.factors))
    levels = [data.rechunk(level.unit) for data, level in zip(levels, plan.levels, strict=True)]
    root = open_store(inside(job.url, job.staging.image_path), read_only=False)
    if job.resumed:
        for path in (job.staging.image_path,) if job.staging.aside else image_paths(labels):
            remove(job.url, path)
    with defer_interrupts():
        group = zarr.create_group(_WithoutGroup(root), zarr_format=ngff.zarr_format(version))
    axes = list(ngff.encode_multiscales(_multiscales(image, plan), version)["axes"])
    with dask_threads():
        write_multiscale(
            levels,
            group,
            fmt=FormatV05() if version == "0.5" else FormatV04(),
            axes=axes,
            scale=dict(zip(image.geometry.axes, scales(image.geometry), strict=True)),
            storage_options=[_storage(level.chunks, level.shards) for level in plan.levels],
            name=image.name or "image",
        )
    # ome-zarr knows no translation: say where the levels lie, in the paths that it chose.
    written = ngff.decode_multiscales(ngff.unwrap(attributes_of(group))[1], ndim=len(axes))
    multiscales = ngff.encode_multiscales(_multiscales(image, plan, written), version)
    own = ngff.encode_image(plan.levels[0].geometry, image.source_grid)
    shown = {"omero": ngff.encode_channels(image.channels)} if image.channels else {}
    attributes = ngff.wrap(version, {"multiscales": [multiscales], **shown}, own)
    with defer_interrupts():
        job.describe(job.staging.image_path, version, validated(attributes, ""))
    return attributes


def _factors(image: Volume, labels: PyramidPlan, factors: Sequence[int]) -> list[int]:
    """Factors of a level of the image from those of its labels; axes that the labels lack stay as they are."""
    by_axis = dict(zip(labels.levels[0].geometry.axes, factors, strict=True))
    return [by_axis.get(axis, 1) for axis in image.geometry.axes]


def _as_dask(data: Any) -> da.Array:
    """An image as a dask array; what is read when it is sliced stays lazy."""
    if isinstance(data, LazyLevel | OnClient):
        return data.dask()
    return data if is_dask_array(data) else lazy_array(data, getattr(data, "chunks", None) or "auto")


class _WithoutGroup(WrapperStore[Store]):
    """A store in which ome-zarr makes an image, but for its group, which is published at the end.

    What is there of the group may be of others; only what is made lies apart, in memory.
    """

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._group: dict[str, Buffer] = {}

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        if key in ROOT_FILES:
            return self._group.get(key)
        return await super().get(key, prototype, byte_range)

    async def set(self, key: str, value: Buffer) -> None:
        if key in ROOT_FILES:
            self._group[key] = value
        else:
            await super().set(key, value)

    async def set_if_not_exists(self, key: str, value: Buffer) -> None:
        if not await self.exists(key):
            await self.set(key, value)

    async def exists(self, key: str) -> bool:
        return key in self._group if key in ROOT_FILES else await super().exists(key)


def _storage(chunks: tuple[int, ...], shards: tuple[int, ...] | None) -> dict[str, Any]:
    return {"chunks": chunks} | ({"shards": shards} if shards else {})


def _multiscales(
    image: Volume, plan: PyramidPlan, written: ngff.Multiscales | None = None
) -> ngff.Multiscales:
    ours = image_multiscales(image.name or "image", plan.levels, "mean", {})
    if written is None:
        return ours
    datasets = tuple(
        ngff.Dataset(theirs.path, mine.scale, mine.translation)
        for mine, theirs in zip(ours.datasets, written.datasets, strict=True)
    )
    return ngff.Multiscales(ours.name, ours.axes, datasets, ours.type, ours.metadata)


def mean_level(data: da.Array, factors: Sequence[int]) -> da.Array:
    """Means over windows, rounded where the dtype is integer; the edge is repeated to fill them."""
    import dask.array as da  # here as in `lazy_array`, which has made the data

    pad = [(0, -n % f) for n, f in zip(data.shape, factors, strict=True)]
    padded = da.pad(data, pad, mode="edge") if any(after for _, after in pad) else data
    padded = padded.rechunk(
        {axis: _whole(c[0], f) for axis, (c, f) in enumerate(zip(padded.chunks, factors, strict=True))}
    )
    means: Any = da.coarsen(np.mean, padded, dict(enumerate(factors)))
    return cast("da.Array", (means.round() if data.dtype.kind in "iu" else means).astype(data.dtype))


def _whole(chunk: int, factor: int) -> int:
    return max(factor, chunk // factor * factor)
