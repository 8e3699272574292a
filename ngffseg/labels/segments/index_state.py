"""Comparison of a segment index with its label image, by the generations and revisions that both state."""

from __future__ import annotations

from dataclasses import dataclass

from ngffseg import ngff
from ngffseg.errors import Hint, JobError, MetadataError
from ngffseg.labels.edit.write_ahead_log import find_log, read_log
from ngffseg.labels.plan.level_plan import can_build
from ngffseg.labels.read.label_image import LabelImage
from ngffseg.labels.read.open import open_labels
from ngffseg.store import split_archive


@dataclass(frozen=True, slots=True)
class Verification:
    """What a comparison of a segment index with level 0 has found.

    Parameters
    ----------
    name
        Of the label image.
    stale
        True if the index does not say what level 0 holds.
    chunks
        Number of chunks that differ; None where they were not counted.
    text
        What was compared and found, and what to do, as one line.
    hints
        What to do, each as it stands in the text.
    """

    name: str
    stale: bool
    chunks: int | None
    text: str
    hints: tuple[Hint, ...] = ()


def check_current(image: LabelImage, layout: ngff.IndexLayout) -> None:
    """Refuse an index of another array, or of another state of the labels; no request where it is of this one.

    Raises
    ------
    MetadataError
        If it is.
    """
    reason = mismatch(image, layout)
    if reason is not None:
        found = stale(image, reason)
        raise MetadataError(found.text, hints=found.hints)


def mismatch(image: LabelImage, layout: ngff.IndexLayout) -> str | None:
    """What an index tells of itself that is not so of the label image; None where it all agrees."""
    if layout.shape != image._arrays[0].shape or layout.level != image._arrays[0].basename:
        return "it belongs to other labels"
    counted = (layout.generation, layout.revision)
    if layout.generation is None or counted == (image.generation, image.revision):
        return None
    now = open_labels(image.url, image.name)  # it may have changed since the image was opened
    if counted == (now.generation, now.revision) == (image.generation, now.revision) or _is_due(
        image, layout
    ):
        return None
    if layout.generation == now.generation != image.generation:
        return "it belongs to labels that were written since these were opened"
    return (
        f"it was counted at generation {layout.generation}, revision {layout.revision}, the labels are of generation"
        f" {now.generation}, revision {now.revision}"
    )


def stale(image: LabelImage, found: str, chunks: int | None = None) -> Verification:
    """What is to be said of an index that is stale."""
    hint = Hint("rebuild", image.url, image.name)
    remedy = f"make it anew with {hint}"
    if not can_build(image):
        remedy = f"copy the store to where it can be written, and there {remedy}"
    text = f"{image.url}: the segment index of {image.name!r} is stale: {found}: {remedy}"
    return Verification(image.name, True, chunks, text, (hint,))


def agreed(image: LabelImage, found: str, chunks: int | None = None) -> Verification:
    """What is to be said of an index that is true."""
    text = f"{image.url}: the segment index of {image.name!r} agrees with level 0: {found}"
    return Verification(image.name, False, chunks, text)


def _is_due(image: LabelImage, layout: ngff.IndexLayout) -> bool:
    """Return True if an update has come as far as the index and not yet to its end."""
    if split_archive(image.url) is not None:
        return False
    data = find_log(image.url, image.name)
    if data is None:
        return False
    try:
        log = read_log(image.url, image.name, data, image._arrays[0])
    except JobError:
        return False  # a damaged one tells nothing
    return (image.generation, log.revision) == (layout.generation, layout.revision)
