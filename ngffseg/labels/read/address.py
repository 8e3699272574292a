"""Addresses of label images, and the names that they may have."""

from __future__ import annotations

import os
import re

from ngffseg import store
from ngffseg.errors import LabelNameError, UsageError

LAYER = re.compile(r"__layer\d+$")
# What names of stores end with.
STORE = re.compile(r"\.(zarr|ozx|zip)$", re.IGNORECASE)


def split_address(address: str | os.PathLike[str], name: str | None = None) -> tuple[str, str | None]:
    """Address of the store and name of the label image, from ``STORE`` or ``STORE/labels/NAME``.

    Raises
    ------
    UsageError
        If the address holds one name and ``name`` another.
    """
    url = store.normalized(address)
    image_group, _, last = url.rpartition("/")
    base = image_group.removesuffix("/labels")
    # A bucket, or a folder at the root, may have the name too.
    inside = image_group.endswith("/labels") and last and base and not base.endswith("/")
    if inside and not _is_store(url, base):
        if name is not None and name != last:
            raise UsageError(f"{url} names the label image {last!r}, not {name!r}: give one of them")
        return base, last
    return url, name


def _is_store(url: str, base: str) -> bool:
    """Return True if ``BASE/labels/NAME`` is a store in a folder called ``labels``, not a label image of BASE.

    Names tell it without a request. Where they do not, the local disk is looked at; on a server a name
    without the suffix of a store is one of a label image.
    """
    if STORE.search(base) or any(store.has_metadata(path) for path in (base, f"{base}/labels")):
        return False
    return bool(STORE.search(url)) or store.has_metadata(url)


def check_name(name: str) -> str:
    """The name, if it can be one folder under ``labels`` in every kind of store.

    Zarr v3, core specification, "Node names": a node name must not be empty, must not include
    "/", must not be composed only of periods, must not start with the reserved prefix "__".

    Raises
    ------
    LabelNameError
        If it cannot.
    """
    problem = ""
    if not name or name != name.strip():
        problem = "is empty or begins or ends with a space"
    elif "/" in name or "\\" in name:
        problem = "holds a slash"
    elif name.startswith((".", "__")):
        problem = "begins with a dot or two underscores"
    elif any(not c.isprintable() for c in name):
        problem = "holds a control character"
    elif LAYER.search(name):
        problem = "ends like a layer (__layer1), which names overlapping segments"
    elif len(name.encode()) > 200:
        problem = "is longer than 200 bytes"
    if problem:
        raise LabelNameError(f"label name {name!r} {problem}: use one plain folder name, such as 'organs'")
    return name


def layer_names(name: str, count: int) -> tuple[str, ...]:
    """Names of the label images of a segmentation: its own, then ``NAME__layer1`` and so on.

    They are flat, since other readers cannot find nested ones.
    """
    return (name, *(f"{name}__layer{n}" for n in range(1, count)))
