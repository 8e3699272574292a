"""`update_segments`: names, colors and properties of stored segments are changed, and no label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from ngffseg import ngff
from ngffseg.errors import JobError, StoreNotFoundError, UsageError
from ngffseg.keywords import strict
from ngffseg.labels.edit.update import finish_update
from ngffseg.labels.edit.write_ahead_log import update_folder, update_lock
from ngffseg.labels.nodes.consolidated import refresh_consolidated
from ngffseg.labels.nodes.find import attributes_of, find_group
from ngffseg.labels.nodes.paths import LABELS
from ngffseg.labels.nodes.transaction import transaction
from ngffseg.labels.plan.metadata import SOURCE, validated
from ngffseg.labels.read.hosts import writable_version
from ngffseg.labels.read.label_image import LabelImage
from ngffseg.labels.read.open import open_labels
from ngffseg.model import Segment, check_segments
from ngffseg.store import check_writable, locked, open_store, store_errors


@strict()
def update_segments(image: LabelImage, segments: Sequence[Segment]) -> LabelImage:
    """Change what is stored of some segments: names, colors and properties; no label is touched.

    All are changed or none: where one of several layers cannot be written, the others become what they were.

    Parameters
    ----------
    image
        A label image of the segmentation, as it was opened.
    segments
        Each replaces the one of its label value in its layer, or is added. All others stay as they are.

    Returns
    -------
    LabelImage
        The label image, opened anew.

    Raises
    ------
    UsageError
        If an id is that of another segment, or a label value does not fit the labels.
    JobError
        If the label image was replaced since it was opened.
    """
    url, name = image.url, image.name
    if not name:
        raise UsageError(f"{url} is a label image at the root: give a store that holds it under labels")
    with store_errors(url):
        check_writable(url)
        with ExitStack() as held:
            # In one order for all who hold several.
            for layer in sorted({image.layers[s.layer] for s in segments if s.layer < len(image.layers)}):
                held.enter_context(update_lock(url, layer))
                finish_update(url, layer)
            layers = [open_labels(url, layer) for layer in image.layers]
            if any(layer.generation != image.generation for layer in layers):
                raise JobError(f"{url}: {name!r} was replaced since it was opened: open it again")
            _check_ids(layers, segments)
            _put(url, {layer.name: _of_layer(segments, n) for n, layer in enumerate(layers)})
    return open_labels(url, name)


def _of_layer(segments: Sequence[Segment], layer: int) -> list[Segment]:
    return [segment for segment in segments if segment.layer == layer]


def _check_ids(layers: Sequence[LabelImage], segments: Sequence[Segment]) -> None:
    """Refuse segments that do not fit those of all layers of the segmentation."""
    changed = {(s.layer, s.label_value) for s in segments}
    others = [
        s
        for number, layer in enumerate(layers)
        for s in layer.segments
        if (number, s.label_value) not in changed
    ]
    check_segments((*others, *segments), [layer._arrays[0].dtype for layer in layers])


def _put(url: str, segments: Mapping[str, Sequence[Segment]]) -> None:
    """Change the documents of layers, by name, all or none."""
    changing = [name for name, new in segments.items() if new]
    if not changing:
        return
    # The folder of an update goes with the lock of its labels, which we hold.
    with locked(url), transaction(url, f"{update_folder(changing[0])}/before") as steps:
        # Read again, under the lock of the store: others may have changed what stands beside.
        changes = [_changed(url, name, segments[name]) for name in changing]
        for path, version, changed in changes:
            steps.put_group(path, version, changed)
        for path, version, _ in changes:
            refresh_consolidated(url, [path], ngff.zarr_format(version))


def _changed(url: str, name: str, segments: Sequence[Segment]) -> tuple[str, ngff.Version, dict[str, Any]]:
    """Path and version of a label image, and its attributes that change; they are validated."""
    path = f"{LABELS}/{name}"
    group = find_group(open_store(url), path)
    if group is None:
        raise StoreNotFoundError(f"{url} has no label image {name!r} any more: open it again")
    attributes = attributes_of(group)
    version = writable_version(f"{url}/{path}", attributes, group.metadata.zarr_format)
    label = ngff.change_image_label(ngff.unwrap(attributes)[1], segments, SOURCE, version)
    changed = ngff.wrap(version, {"image-label": label})
    validated(ngff.merge_attributes(attributes, changed), path)
    return path, version, changed
