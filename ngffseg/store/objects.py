"""Single objects of a store: made where there are none, listed, removed."""

from __future__ import annotations

import shutil

from zarr.core.sync import sync

from ngffseg.store.address import local_path
from ngffseg.store.remote import RemoteStore
from ngffseg.store.url import open_store

# Objects that are not looked for below their own name.
METADATA = (".json", ".zarray", ".zattrs", ".zgroup")


def create_object(url: str, key: str, data: bytes) -> bool:
    """Write an object that must not be there, in one step that only one of many writers can take.

    Parameters
    ----------
    url
        Address of a store that is not on the local disk.
    key, data
        The object.

    Returns
    -------
    bool
        Whether the object is there as it was to be: an equal one counts as made, since a reply may be
        lost after the object was written.
    """
    store = open_store(url, read_only=False)
    assert isinstance(store, RemoteStore), store
    return sync(store.create(key, data))


def list_objects(url: str, prefix: str) -> list[str]:
    """Keys of all objects below a store that is not on the local disk which begin with a prefix."""
    store = open_store(url)
    assert isinstance(store, RemoteStore), store
    return list(sync(store.sizes(prefix)))


def remove(url: str, path: str) -> None:
    """Remove what is at a path of the store; of a local one, parents that are empty then, too."""
    root = local_path(url)
    if root is None:
        store = open_store(url, read_only=False)
        alone = path.endswith(METADATA)
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
