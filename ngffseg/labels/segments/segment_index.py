"""`SegmentIndex`: where each segment of a label image is, found without reading the labels."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr

from ngffseg import ngff
from ngffseg.errors import Hint, LabelValueError, MetadataError, StoreNotFoundError
from ngffseg.geometry import voxel_volume
from ngffseg.grid import Numbers, chunk_grid
from ngffseg.keywords import shown, strict
from ngffseg.labels.index.write import index_group
from ngffseg.labels.read.label_image import LabelImage
from ngffseg.labels.read.lazy_level import array_in
from ngffseg.labels.segments.entry import SegmentEntry, mean
from ngffseg.labels.segments.index_state import check_current
from ngffseg.store import store_errors


class SegmentIndex:
    """The segment index of a label image, read lazily: a few small requests find one of millions.

    Made by `segment_index`. Iterating gives all entries in the order of their label values.
    """

    def __init__(self, image: LabelImage, layout: ngff.IndexLayout, group: zarr.Group) -> None:
        self.image, self.layout, self._group = image, layout, group
        self._pages: dict[int, Numbers] = {}
        self._arrays: dict[str, Any] = {}
        self._voxel_volume = voxel_volume(image.geometry)

    def __len__(self) -> int:
        # Lists take the number for the size that they need, so it must be that of the table.
        return int(self._array(self.layout.table).shape[1]) if self.layout.segments else 0

    def __iter__(self) -> Iterator[SegmentEntry]:
        for page in range(len(self._page_index)):
            table = self._page(page)
            for column in range(table.shape[1]):
                yield self._entry(table[:, column])

    def __contains__(self, label_value: int) -> bool:
        return self._find(label_value) is not None

    def __getitem__(self, label_value: int) -> SegmentEntry:
        """The entry of a label value.

        Raises
        ------
        LabelValueError
            If the image does not hold it, or it is no whole number.
        """
        return self._entry(self._row(label_value))

    def labels(self) -> Numbers:
        """All label values, sorted; the whole table is read."""
        pages = [self._page(n)[0] for n in range(len(self._page_index))]
        return np.concatenate([np.empty(0, np.uint64), *pages])

    def table(self) -> dict[str, npt.NDArray[Any]]:
        """All entries as columns, in the order of their label values; the whole table is read.

        ``label_value`` and ``voxels`` are uint64, ``volume_mm3`` float64 (absent without units), and for each
        axis ``start_z``, ``stop_z`` int64 and ``centroid_z`` float64; see `SegmentEntry`.
        """
        with store_errors(self.image.url):  # all pages at a time, and no page index
            table = np.asarray(self._array(self.layout.table)[:, : self.layout.segments])
        columns: dict[str, npt.NDArray[Any]] = {"label_value": table[0], "voxels": table[1]}
        if self._voxel_volume is not None:
            columns["volume_mm3"] = table[1] * self._voxel_volume
        ndim = len(self.layout.shape)
        voxels = table[1].tolist()
        for number, axis in enumerate(self.image.geometry.axes):
            starts, stops, sums = (table[4 + part * ndim + number] for part in range(3))
            columns[f"start_{axis}"], columns[f"stop_{axis}"] = starts.astype("i8"), stops.astype("i8")
            columns[f"centroid_{axis}"] = np.array(
                [mean(s, count) for s, count in zip(sums.tolist(), voxels, strict=True)], np.float64
            )
        return columns

    def chunks(self, label_value: int) -> npt.NDArray[np.int64]:
        """Indices of the chunks of level 0 that hold a label value, shape (n, ndim), in C order.

        Raises
        ------
        LabelValueError
            If the image does not hold it.
        """
        first, count = (int(n) for n in self._row(label_value)[2:4])
        with store_errors(self.image.url):
            flat = np.asarray(self._array(self.layout.lists)[first : first + count])
        grid = chunk_grid(self.layout.shape, self.layout.chunks)
        return np.stack(np.unravel_index(flat.astype(np.int64), grid), axis=1)

    def _row(self, label_value: int) -> Numbers:
        row = self._find(label_value)
        if row is None:
            hint = Hint("list segments", self.image.url)
            raise LabelValueError(
                f"{self.image.name!r} holds no label {label_value}: see {hint}", hints=[hint]
            )
        return row

    def _find(self, label_value: int) -> Numbers | None:
        """The column of a label value in the table: the page index, one page, two binary searches."""
        if not isinstance(label_value, int | np.integer):
            raise LabelValueError(f"a label value is {shown(label_value)}: give a whole number")
        if not 0 < label_value < 2**64:
            return None
        wanted = np.uint64(label_value)
        page = int(np.searchsorted(self._page_index, wanted, side="right")) - 1
        if page < 0:
            return None
        table = self._page(page)
        column = int(np.searchsorted(table[0], wanted))
        if column == table.shape[1] or table[0, column] != wanted:
            return None
        found: Numbers = table[:, column]
        return found

    @cached_property
    def _page_index(self) -> Numbers:
        with store_errors(self.image.url):
            page_index: Numbers = np.asarray(self._array(self.layout.page_index)[:])
        return page_index

    def _page(self, page: int) -> Numbers:
        """One chunk of the table; the last one that was read is kept."""
        if page not in self._pages:
            start = page * self.layout.rows_per_chunk
            with store_errors(self.image.url):
                table = self._array(self.layout.table)[:, start : start + self.layout.rows_per_chunk]
            self._pages = {page: np.asarray(table)}
        return self._pages[page]

    def _array(self, path: str) -> Any:
        """One of the arrays, opened when it is first read: that takes longer than to read a little of it."""
        if path not in self._arrays:
            array = array_in(self.image.url, self._group, path)
            if array is None:
                raise MetadataError(f"the index of {self.image.name!r} has no array {path!r}: build it anew")
            self.layout.check_array(path, array.shape)
            self._arrays[path] = array
        return self._arrays[path]

    def _entry(self, column: Numbers) -> SegmentEntry:
        label, voxels, _, chunk_count, *places = (int(n) for n in column)
        ndim, unit = len(self.layout.shape), self._voxel_volume
        starts, stops, sums = (places[n * ndim : (n + 1) * ndim] for n in range(3))
        return SegmentEntry(
            label,
            voxels,
            None if unit is None else voxels * unit,
            tuple(zip(starts, stops, strict=True)),
            tuple(mean(s, voxels) for s in sums),
            chunk_count,
        )


@strict()
def segment_index(image: LabelImage) -> SegmentIndex:
    """Open the segment index of a label image; only its metadata is read.

    Parameters
    ----------
    image
        The label image, as it was opened.

    Raises
    ------
    StoreNotFoundError
        If the image has none: other programs write none. `count_segments` counts it.
    MetadataError
        If it is broken, or belongs to other labels or to another state of them.
    """
    with store_errors(image.url):
        group = index_group(image)
        if group is None:
            raise StoreNotFoundError(
                f"{image.url}: label image {image.name!r} has no segment index: count_segments counts it"
            )
        layout = ngff.decode_index(dict(group.attrs.asdict()))
        check_current(image, layout)
    return SegmentIndex(image, layout, group)
