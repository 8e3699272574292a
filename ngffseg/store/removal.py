"""Removing what lies at a path of a store."""

from __future__ import annotations

import shutil

from zarr.core.sync import sync

from ngffseg.store.address import local_path
from ngffseg.store.remote import METADATA
from ngffseg.store.url import open_store


def remove(url: str, path: str) -> None:
    """Remove what is at a path of the store; of a local one, parents that are empty then, too."""
    root = local_path(url)
    if root is None:
        store = open_store(url, read_only=False)
        alone = path.rpartition("/")[2] in METADATA
        sync(store.delete(path) if alone else store.delete_dir(path))
        return
    if (root / path).is_dir():
        shutil.rmtree(root / path, ignore_errors=True)
    else:
        (root / path).unlink(missing_ok=True)
    for parent in (root / path).parents:
        try:
            parent.rmdir()
        except OSError:
            return  # it holds something else, or is not there
        if parent == root:
            return
