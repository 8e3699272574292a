"""What is kept of a store of others: its documents, but for what is ours to change."""

import json

# Metadata of a store, by the ends of their names.
DOCUMENTS = ("zarr.json", ".zattrs", ".zgroup", ".zarray", ".zmetadata")


def documents(folder):
    """All metadata of a store as JSON, by path."""
    files = [f for f in sorted(folder.rglob("*")) if f.name in DOCUMENTS]
    return {str(f.relative_to(folder)): json.loads(f.read_text()) for f in files}


def missing(before, after, at=""):
    """Places of a JSON value at which something is gone or another; lists may have become longer."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            place
            for key, value in before.items()
            for place in (missing(value, after[key], f"{at}/{key}") if key in after else [f"{at}/{key}"])
        ]
    if isinstance(before, list) and isinstance(after, list) and len(after) >= len(before):
        pairs = zip(before, after, strict=False)
        return [place for n, (a, b) in enumerate(pairs) for place in missing(a, b, f"{at}/{n}")]
    return [] if before == after else [at]


def not_kept(before, after):
    """What is gone from the documents of a store, but for copies of documents, which follow them, and our levels."""
    return [
        f"{path}{place}"
        for path, document in before.items()
        if not path.endswith(".zmetadata")
        for place in missing(document, after.get(path))
        if "consolidated_metadata" not in place
        # The levels above level 0 of labels that we have built anew are ours.
        and not (
            path.startswith("labels/cells/")
            and any(f"/{k}" in place for k in ("datasets", "type", "metadata"))
        )
        and not (path.startswith("labels/cells/") and path not in after)
    ]


def stale(folder):
    """Entries of consolidated metadata that are not what the store holds."""
    found = []
    for path, document in documents(folder).items():
        prefix = path.rpartition("/")[0]
        inline = (document.get("consolidated_metadata") or {}).get("metadata", {})
        copies = {f"{prefix}/{k}/zarr.json".strip("/"): v for k, v in inline.items()}
        if path.endswith(".zmetadata"):
            copies = {f"{prefix}/{k}".strip("/"): v for k, v in document["metadata"].items()}
        there = documents(folder)
        for key, copy in copies.items():
            now = {k: v for k, v in there.get(key, {}).items() if k != "consolidated_metadata"}
            if {k: v for k, v in copy.items() if k != "consolidated_metadata"} != now:
                found.append(f"{path}: {key}")
    return found
