"""`Painting`: level 0 of stored labels that can be painted on, and saved."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ngffseg.grid import Box, Index, touched_chunks
from ngffseg.labels import LabelImage, bounding_box, can_update, rebuild_levels, update_labels
from ngffseg.napari_plugin.axes import LayerAxes, Values, all_axes

# Labels of neighbouring chunks are saved as one box, up to so many voxels.
MOST_VOXELS = 2**26


class Painting:
    """Level 0 of a label image as an array that can be written to; the store changes when it is saved.

    Only chunks that are looked at are read, and only those that are painted on are kept.

    Parameters
    ----------
    image
        The label image, as it was opened.
    axes
        Which axes the array has; all of the label image by default.
    """

    def __init__(self, image: LabelImage, axes: LayerAxes | None = None) -> None:
        self.image, self._axes = image, axes or all_axes(image.geometry)
        array = image._arrays[0]
        self.shape = self._axes.along(array.shape, 1)
        self.chunks = self._axes.along(array.chunks, 1)
        self.dtype: np.dtype[Any] = array.dtype.newbyteorder("=")
        self.ndim = len(self.shape)
        # Chunks that were painted on, as they are now.
        self._painted: dict[Index, Values] = {}

    @property
    def size(self) -> int:
        """Number of voxels."""
        return int(np.prod(self.shape, dtype=np.int64))

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Values:
        """All labels, for numpy; always a new array."""
        values: Values = self[...]
        return values if dtype is None else values.astype(dtype, copy=False)

    def __getitem__(self, index: Any) -> Values:
        box, rest = bounding_box(index, self.shape)
        return np.asarray(self._read(box)[rest])

    def __setitem__(self, index: Any, value: Any) -> None:
        box, rest = bounding_box(index, self.shape)
        labels = self._read(box)
        labels[rest] = value
        for chunk in self._chunks_of(box):
            inside, outside = _overlap(self._chunk_box(chunk), box)
            if chunk not in self._painted:
                if (self._stored(_crop(self._chunk_box(chunk), inside)) == labels[outside]).all():
                    continue
                self._painted[chunk] = self._stored(self._chunk_box(chunk))
            self._painted[chunk][inside] = labels[outside]

    @property
    def changes(self) -> tuple[Box, ...]:
        """Boxes that hold all voxels that differ from the store, those of touching chunks as one."""
        boxes = [box for chunk in sorted(self._painted) if (box := self._change(chunk)) is not None]
        return tuple(_merged(boxes, self.chunks))

    def save(self) -> int:
        """Write what was painted to the store, with all levels and the index; nothing else is written.

        Levels of others, of which nobody knows how they were made, are all made anew before.

        Returns
        -------
        int
            Number of boxes that were written.

        Raises
        ------
        JobError
            If somebody else has changed the same voxels meanwhile; what was painted is kept.
        """
        boxes = self.changes
        if boxes and self.image.name and not can_update(self.image):
            self.image = rebuild_levels(self.image.url, self.image.name)
        for box in boxes:
            whole = self._axes.stored_box(box)
            size = [part.stop - part.start for part in whole]
            self.image = update_labels(self.image, whole, self._read(box).reshape(size))
        self._painted.clear()
        return len(boxes)

    def _read(self, box: Box) -> Values:
        labels = self._stored(box)
        for chunk in self._chunks_of(box):
            if chunk in self._painted:
                inside, outside = _overlap(self._chunk_box(chunk), box)
                labels[outside] = self._painted[chunk][inside]
        return labels

    def _stored(self, box: Box) -> Values:
        return self._axes.seen(self.image.read(self._axes.stored_box(box)), box)

    def _chunks_of(self, box: Box) -> Iterator[Index]:
        ranges = touched_chunks(box, self.chunks)
        return itertools.product(*ranges)

    def _chunk_box(self, chunk: Index) -> Box:
        return tuple(
            slice(i * c, min((i + 1) * c, n)) for i, c, n in zip(chunk, self.chunks, self.shape, strict=True)
        )

    def _change(self, chunk: Index) -> Box | None:
        """The box of the voxels of a chunk that differ from the store."""
        whole = self._chunk_box(chunk)
        places = np.nonzero(self._painted[chunk] != self._stored(whole))
        if not places[0].size:
            return None
        return tuple(
            slice(int(w.start + p.min()), int(w.start + p.max()) + 1)
            for w, p in zip(whole, places, strict=True)
        )


def _overlap(a: Box, b: Box) -> tuple[Box, Box]:
    """What two boxes share, as slices within each of them."""
    both = [slice(max(p.start, q.start), min(p.stop, q.stop)) for p, q in zip(a, b, strict=True)]
    within = tuple(
        tuple(slice(s.start - p.start, s.stop - p.start) for s, p in zip(both, box, strict=True))
        for box in (a, b)
    )
    return within[0], within[1]


def _crop(box: Box, inside: Box) -> Box:
    return tuple(slice(b.start + i.start, b.start + i.stop) for b, i in zip(box, inside, strict=True))


def _merged(boxes: list[Box], chunks: Index) -> list[Box]:
    """Boxes that are no more than a chunk apart as one, as long as that is not too large."""
    merged: list[Box] = []
    for box in boxes:
        one = box
        for other in merged.copy():
            near = all(
                p.start <= q.stop + c and q.start <= p.stop + c
                for p, q, c in zip(one, other, chunks, strict=True)
            )
            both = tuple(
                slice(min(p.start, q.start), max(p.stop, q.stop)) for p, q in zip(one, other, strict=True)
            )
            if near and np.prod([b.stop - b.start for b in both], dtype=np.float64) <= MOST_VOXELS:
                merged.remove(other)
                one = both
        merged.append(one)
    return merged
