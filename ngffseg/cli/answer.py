"""What verbs answer to programs: JSON."""

from __future__ import annotations

import contextlib
import json
import sys
import warnings
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from ngffseg.cli.hints import worded
from ngffseg.cli.telling import tell
from ngffseg.errors import NgffsegWarning
from ngffseg.geometry import anatomical_code
from ngffseg.ngff import encode_source_grid, json_value
from ngffseg.text import plain, plain_json

if TYPE_CHECKING:
    from ngffseg.geometry import SourceGrid
    from ngffseg.labels import ImageSummary, LabelImage, LabelsSummary, LevelSummary, StoreTree, Verification
    from ngffseg.model import Loss, Segment
    from ngffseg.planning import Cost
    from ngffseg.pyramid import PyramidPlan

# Characters per line of tables in a file.
WIDTH = 110


class _Terminal(Console):
    """Shows text as it is: names in it, which others have given, are neither markup nor obeyed."""

    def render_str(self, text: str, **options: Any) -> Text:
        """The text of a line, title or cell."""
        return super().render_str(plain(text), **options | {"markup": False, "emoji": False})


def console() -> Console:
    """Where people read: as wide as the terminal, at least wide enough for a table in a file."""
    return _Terminal(width=None if sys.stdout.isatty() else WIDTH, highlight=False, markup=False, emoji=False)


@contextlib.contextmanager
def said() -> Iterator[list[str]]:
    """Warnings that people should read while a verb runs: one line each on stderr, and in a list for programs."""
    lines: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", NgffsegWarning)
        yield lines
    for warning in caught:
        if isinstance(warning.message, NgffsegWarning):
            encoded = worded(str(warning.message), warning.message.hints)
            lines.append(" ".join(encoded.split()))
            tell(f"ngffseg: {lines[-1]}")
        else:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)


def verification_json(found: Verification) -> dict[str, Any]:
    """What a comparison of a segment index with level 0 has found."""
    encoded = asdict(found) | {"text": worded(found.text, found.hints)}
    del encoded["hints"]
    return encoded


def print_json(value: Any) -> None:
    """Print a value as JSON; label values stay exact integers, and NaN is null."""
    text = json.dumps(json_value(value), indent=2, ensure_ascii=False, allow_nan=False)
    sys.stdout.write(plain_json(text) + "\n")


def segment_json(segment: Segment) -> dict[str, Any]:
    """A segment, for programs."""
    return {
        "label_value": segment.label_value,
        "id": segment.id,
        "name": segment.name,
        "color": list(segment.color) if segment.color else None,
        "layer": segment.layer,
    }


def level_json(level: LevelSummary) -> dict[str, Any]:
    """A level, for programs."""
    return {
        "path": level.path,
        "shape": list(level.shape),
        "chunks": list(level.chunks),
        "shards": list(level.shards) if level.shards else None,
        "dtype": level.dtype,
        "scale": list(level.scale),
        "translation": list(level.translation),
        "bytes": level.stored_bytes,
    }


def image_json(image: LabelImage) -> dict[str, Any]:
    """A label image, for programs."""
    return {
        "url": image.url,
        "name": image.name,
        "layers": list(image.layers),
        "levels": [list(array.shape) for array in image._arrays],
        "dtype": str(image._arrays[0].dtype),
        "segments": [segment_json(s) for s in image.segments],
    }


def loss_json(loss: Loss) -> dict[str, str]:
    """A loss, for programs."""
    return {"where": loss.where, "what": loss.what}


def tree_json(tree: StoreTree) -> dict[str, Any]:
    """A store, for programs."""
    collection = tree.collection and {
        "kind": tree.collection.kind,
        "members": list(tree.collection.members),
        **{key: list(names) for key, names in tree.collection.details},
    }
    broken = [{"name": b.name, "registered": b.registered, "problem": b.problem} for b in tree.broken]
    return {
        "url": tree.url,
        "version": tree.version,
        "kinds": list(tree.kinds),
        "consolidated": tree.consolidated,
        "collection": collection,
        "image": tree.image and stored_image_json(tree.image),
        "problem": tree.problem,
        "labels": [stored_labels_json(stored) for stored in tree.labels],
        "broken": broken,
    }


def stored_image_json(image: ImageSummary) -> dict[str, Any]:
    """The image of a store, for programs."""
    channels = [
        {
            "name": channel.name,
            "color": list(channel.color) if channel.color else None,
            "window": list(channel.window) if channel.window else None,
        }
        for channel in image.channels
    ]
    return {
        "name": image.name,
        "placeholder": image.placeholder,
        "axes": list(image.axes),
        "channels": channels,
        "levels": [level_json(level) for level in image.levels],
    }


def stored_labels_json(stored: LabelsSummary) -> dict[str, Any]:
    """A label image of a store, for programs."""
    source = stored.source and {
        "image": stored.source.link,
        "path": stored.source.path,
        "exists": stored.source.exists,
    }
    return image_json(stored.image) | {
        "method": stored.method,
        "levels": [level_json(level) for level in stored.levels],
        "source": source,
        "registered": stored.registered,
        "order": anatomical_code(stored.image.geometry) or None,
        "source_grid": stored.source_grid and source_grid_json(stored.source_grid),
    }


def source_grid_json(source: SourceGrid) -> dict[str, Any]:
    """The grid of a source, for programs."""
    encoded = encode_source_grid(source)["sourceGrid"]
    return {
        "order": anatomical_code(source.geometry) or None,
        "axes": encoded["order"],
        "shape": encoded["shape"],
        "ijk_to_lps": encoded["ijkToLPS"],
    }


def cost_json(cost: Cost) -> dict[str, Any]:
    """What a step costs, for programs."""
    return {"step": cost.step, "requests": dict(cost.requests), "bytes": cost.read_bytes}


def plan_json(plan: PyramidPlan) -> dict[str, Any]:
    """A plan, for programs."""
    levels = [
        {
            "path": level.path,
            "shape": list(level.shape),
            "chunks": list(level.chunks),
            "shards": list(level.shards) if level.shards else None,
            "factors": list(level.factors),
        }
        for level in plan.levels
    ]
    return {
        "dtype": str(plan.dtype),
        "codec": str(plan.compression),
        "blocks": plan.block_count,
        "levels": levels,
    }
