"""`update_segments`: names, colors and properties of stored segments are changed, and no label."""

from __future__ import annotations

from collections.abc import Sequence

from ngffseg import ngff
from ngffseg.errors import JobError, StoreNotFoundError, UsageError
from ngffseg.keywords import strict
from ngffseg.labels.consolidated import refresh_consolidated
from ngffseg.labels.group_document import put_group
from ngffseg.labels.host import writable_version
from ngffseg.labels.image import LabelImage
from ngffseg.labels.journal import alone
from ngffseg.labels.metadata import SOURCE, judged
from ngffseg.labels.nodes import attributes_of, find_group
from ngffseg.labels.open import open_labels
from ngffseg.labels.places import LABELS
from ngffseg.labels.update import finish_update
from ngffseg.model import Segment, check_segments
from ngffseg.store import check_writable, locked, open_store, store_errors


@strict()
def update_segments(image: LabelImage, segments: Sequence[Segment]) -> LabelImage:
    """Change what is stored of some segments: names, colors and properties; no label is touched.

    Parameters
    ----------
    image
        The label image, as it was opened.
    segments
        Each replaces the one of its label value, or is added. All others stay as they are.

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
        with alone(url, name):
            finish_update(url, name)
            if open_labels(url, name).generation != image.generation:
                raise JobError(f"{url}: {name!r} was replaced since it was opened: open it again")
            _check_ids(image, segments)
            _put(image, segments)
    return open_labels(url, name)


def _check_ids(image: LabelImage, segments: Sequence[Segment]) -> None:
    """Refuse segments that do not fit those of all layers of the segmentation."""
    layers = [open_labels(image.url, layer) for layer in image.layers]
    changed = {s.label_value for s in segments}
    others = [
        s
        for layer in layers
        for s in layer.segments
        if layer.name != image.name or s.label_value not in changed
    ]
    check_segments((*others, *segments), [layer.arrays[0].dtype for layer in layers])


def _put(image: LabelImage, segments: Sequence[Segment]) -> None:
    url, path = image.url, f"{LABELS}/{image.name}"
    with locked(url):
        # Read under the lock: others may have changed what stands beside.
        group = find_group(open_store(url), path)
        if group is None:
            raise StoreNotFoundError(f"{url} has no label image {image.name!r} any more: open it again")
        attributes = attributes_of(group)
        version = writable_version(f"{url}/{path}", attributes, group.metadata.zarr_format)
        label = ngff.change_image_label(ngff.unwrap(attributes)[1], segments, SOURCE, version)
        changed = ngff.wrap(version, {"image-label": label})
        judged(ngff.merge_attributes(attributes, changed), path)
        put_group(url, path, version, changed)
        refresh_consolidated(url, [path], ngff.zarr_format(version))
