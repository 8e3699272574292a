"""What the metadata of an array say, or why they say nothing that can be worked with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numcodecs.errors
import numcodecs.registry
import zarr
from zarr.abc.store import Store
from zarr.registry import get_codec_class

from ngffseg import ngff
from ngffseg.errors import MetadataError
from ngffseg.labels.nodes.documents import Document
from ngffseg.labels.nodes.find import array_of
from ngffseg.ngff import Place, Severity, Violation

# What each array MUST say of itself, by Zarr format.
NEEDED = {
    3: ("shape", "data_type", "chunk_grid", "chunk_key_encoding", "fill_value", "codecs"),
    2: ("shape", "chunks", "dtype", "compressor", "fill_value", "order", "filters"),
}
LARGEST = 2**63


def array_node(store: Store, path: str, document: Document, zarr_format: int) -> ngff.Node:
    """Facts of an array; a broken node that tells its problem if the array cannot be understood."""
    attributes = document.get("attributes", {})
    problem = next(_problems(document, zarr_format, path), None)
    if problem is None:
        try:
            return _node(path, array_of(store, path, document), document)
        except MetadataError as error:
            cause = error.__cause__ or error
            problem = _violation("MUST", path, "Zarr array metadata can be understood.", f"{cause}")
    attributes = attributes if isinstance(attributes, dict) else {}
    return ngff.Node(path, "broken", zarr_format, attributes, problems=(problem,))


def _node(path: str, array: zarr.Array[Any], document: Document) -> ngff.Node:
    names = getattr(array.metadata, "dimension_names", None)
    return ngff.Node(
        path=path,
        kind="array",
        zarr_format=array.metadata.zarr_format,
        attributes=dict(array.attrs.asdict()),
        shape=tuple(array.shape),
        dtype=str(array.dtype),
        dimension_names=tuple(names) if names is not None else None,
        layout={key: value for key, value in document.items() if key != "attributes"},
        children=(),
    )


def _problems(document: Document, zarr_format: int, path: str) -> Iterator[Violation]:
    """What stops an array from being understood, what cannot be validated first."""
    for name in _unknown_codecs(document, zarr_format):
        yield _violation("UNKNOWN", path, "A codec is not known here.", f"codec {ngff.short_json(name)}")
    grid = document.get("chunk_grid")
    name = grid.get("name", "regular") if isinstance(grid, dict) else "regular"
    if zarr_format == 3 and name != "regular":
        yield _violation("UNKNOWN", path, "A chunk grid is not known here.", ngff.short_json(name))
    for key in NEEDED[zarr_format]:
        if key not in document:
            rule = f"Zarr v{zarr_format}: the metadata of an array MUST contain {key!r}."
            yield _violation("MUST", path, rule, "none")
    shape = document.get("shape")
    if not _are_sizes(shape, 0):
        rule = "The shape of a Zarr array is a list of non-negative integers."
        yield _violation("MUST", path, rule, ngff.short_json(shape))
    chunks = document.get("chunks") if zarr_format == 2 else _configured(grid, "chunk_shape")
    per_axis = isinstance(chunks, list) and isinstance(shape, list) and len(chunks) == len(shape)
    if not per_axis or not _are_sizes(chunks, 1):
        rule = "The chunk shape of a Zarr array is one positive integer per dimension."
        yield _violation("MUST", path, rule, ngff.short_json(chunks))


def _unknown_codecs(document: Document, zarr_format: int) -> Iterator[Any]:
    if zarr_format == 2:
        filters = document.get("filters")
        for codec in [document.get("compressor"), *(filters if isinstance(filters, list) else ())]:
            name = codec.get("id") if isinstance(codec, dict) else None
            if isinstance(name, str) and not _is_numcodec(name):
                yield name
        return
    waiting = [document.get("codecs")]
    while waiting:
        codecs = waiting.pop()
        for codec in codecs if isinstance(codecs, list) else ():
            name = codec.get("name") if isinstance(codec, dict) else codec
            if isinstance(name, str) and not _is_codec(name):
                yield name
            waiting += [_configured(codec, key) for key in ("codecs", "index_codecs")]


def _is_codec(name: str) -> bool:
    try:
        get_codec_class(name)
    except (KeyError, ValueError):
        return False
    return True


def _is_numcodec(name: str) -> bool:
    try:
        numcodecs.registry.get_codec({"id": name})
    except numcodecs.errors.UnknownCodecError:
        return False
    except Exception:  # it is known, and asks for more than its name
        return True
    return True


def _configured(extension: Any, key: str) -> Any:
    configuration = extension.get("configuration") if isinstance(extension, dict) else None
    return configuration.get(key) if isinstance(configuration, dict) else None


def _are_sizes(sizes: Any, least: int) -> bool:
    return isinstance(sizes, list) and all(
        isinstance(n, int) and not isinstance(n, bool) and least <= n < LARGEST for n in sizes
    )


def _violation(severity: Severity, path: str, rule: str, found: str) -> Violation:
    expected = "what can be judged" if severity == "UNKNOWN" else "what the rule says"
    line = " ".join(found.split())
    return Violation(severity, Place(path), rule, expected, ngff.short_text(line))
