"""An object as it is before somebody changes it, so that it can be put back as it was."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

from ngffseg.store.address import local_path
from ngffseg.store.containment import local_place
from ngffseg.store.objects import put_object, read_objects, remove


def preserve(url: str, key: str, folder: str) -> Callable[[], None]:
    """Keep an object of a store as it is; returns what puts it back, or removes what was not there.

    Parameters
    ----------
    url, key
        The store and the object.
    folder
        Folder of a local store in which the copy lies. It is renamed to its place: what fails for
        want of space can be undone without any.
    """
    root, path = local_path(url), local_place(url, key)
    if root is None or path is None:
        data = read_objects(url, [key])[0]
        return lambda: remove(url, key) if data is None else put_object(url, key, data)
    if not path.is_file():
        return lambda: _discard(root, path)
    copy = root / folder / uuid.uuid4().hex
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(path, copy)
    return lambda: _rename(copy, path)


def _rename(copy: Path, path: Path) -> None:
    copy.replace(path)


def _discard(root: Path, path: Path) -> None:
    """Remove a file, and folders that are empty then; a folder of this name was there before."""
    if path.is_file():
        path.unlink()
    for parent in path.relative_to(root).parents:
        with contextlib.suppress(OSError):
            (root / parent).rmdir()  # it fails where something else is in it


def share(url: str, path: str, other: str) -> None:
    """Have a file or folder of a local store at another path, too; its bytes are copied only if need be."""
    here, there = local_place(url, path), local_place(url, other)
    assert here is not None, url
    assert there is not None, url
    if here.is_dir() and not here.is_symlink():
        shutil.copytree(here, there, symlinks=True, copy_function=_link)
    else:
        _link(here, there)


def _link(path: str | Path, other: str | Path) -> None:
    try:
        os.link(path, other, follow_symlinks=False)
    except OSError:  # some file systems have no links
        shutil.copy2(path, other, follow_symlinks=False)
