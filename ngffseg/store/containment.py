"""What lies inside a store: the one place that decides on paths which documents, callers or browsers name.

A path within a store has parts, each the plain name of a folder or file, and no link on the way leads out
of the store.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from ngffseg.errors import OutsideStoreError
from ngffseg.store.address import local_path

# Bytes: the longest key of S3, and the longest name of a file in most file systems.
LONGEST, LONGEST_PART = 1024, 255
# C0 and C1 control characters, NUL among them, and what Windows takes for a slash.
FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")
DRIVE = re.compile(r"[A-Za-z]:")
# Whether links that leave a store are followed by those who read it; see `follow_links`.
_followed: list[bool] = [False]


@contextlib.contextmanager
def follow_links() -> Iterator[None]:
    """Let stores that are opened within this context, in any thread, read through symbolic links that leave them.

    Datasets of git-annex and DataLad consist of such links. Nothing is ever written through them.
    """
    _followed.append(True)
    try:
        yield
    finally:
        _followed.remove(True)


def links_followed() -> bool:
    """Return True if stores that are opened now read through links that leave them."""
    return _followed[-1]


def is_inside(path: str) -> bool:
    """Return True if a path can be one of a node or object within a store."""
    return not _problem(path)


def checked_path(path: str) -> str:
    """Return the path, if it can be one of a node or object within a store.

    Raises
    ------
    OutsideStoreError
        If it cannot.
    """
    problem = _problem(path)
    if problem:
        raise OutsideStoreError(
            f"path {path[:80]!a} {problem}, so it is none within a store: see what names it"
        )
    return path


def checked_key(key: str) -> str:
    """Return the key of an object, or the prefix of some, if it lies within a store.

    Unlike a path, a prefix may be empty or end with a slash.
    """
    folder = key.removesuffix("/")
    if folder:
        checked_path(folder)
    return key


def _problem(path: str) -> str:
    """What keeps a path from being one within a store; empty if nothing does."""
    try:
        parts = [part.encode() for part in path.split("/")]
    except UnicodeEncodeError:
        return "holds half a character"
    if FORBIDDEN.search(path) or DRIVE.match(path):
        return "holds a backslash, a drive letter or a control character"
    if any(part in (b"", b".", b"..") for part in parts):
        return "is absolute or has an empty part, '.' or '..'"
    if sum(map(len, parts)) + len(parts) > LONGEST or max(map(len, parts)) > LONGEST_PART:
        return "is too long"
    return ""


class Boundary:
    """Refuses links that lead out of a folder of the local disk.

    Each folder is looked at once; so chunks cost one look per folder that they lie in.

    Parameters
    ----------
    root
        The folder.
    follow
        Whether links may lead out of it.
    """

    def __init__(self, root: Path, *, follow: bool = False) -> None:
        self.root, self.follow = str(root), follow
        self._entered = {""}

    def enter(self, folder: str) -> None:
        """Refuse a folder, by its path below the root, to which a link on the way leads out.

        Raises
        ------
        OutsideStoreError
            If one does.
        """
        if self.follow or folder in self._entered:
            return
        self.enter(folder.rpartition("/")[0])
        self.check_link(folder)
        self._entered.add(folder)

    def check(self, path: str) -> None:
        """Refuse a path to which a link leads out, be it the last part itself."""
        self.enter(path.rpartition("/")[0])
        self.check_link(path)

    def check_link(self, path: str) -> None:
        """Refuse a path whose last part is a link that leads out."""
        place = f"{self.root}/{path}"
        if self.follow or not os.path.islink(place):  # noqa: PTH114
            return
        target, root = os.path.realpath(place), os.path.realpath(self.root)
        if target != root and not target.startswith(f"{root.rstrip(os.sep)}{os.sep}"):
            raise OutsideStoreError(
                f"{place} is a symbolic link to {target}, which is not in the store: copy the store with what its"
                " links lead to, or have links followed where it is only read"
            )

    def files(self, folder: str, above: tuple[str, ...] = ()) -> Iterator[str]:
        """Paths of all files below a folder; links to folders are followed, unless they go in circles.

        Raises
        ------
        OutsideStoreError
            If a link leads out, or to a folder in which it lies.
        """
        self.enter(folder)
        place = f"{self.root}/{folder}".rstrip("/")
        here = (*above, os.path.realpath(place))
        try:
            entries = os.scandir(place)
        except (FileNotFoundError, NotADirectoryError):
            return
        with entries:
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_symlink():
                    self.check_link(path)
                    if os.path.realpath(entry.path) in here:
                        raise OutsideStoreError(
                            f"{entry.path} is a symbolic link to a folder in which it lies: remove it"
                        )
                if entry.is_dir():
                    yield from self.files(path, here)
                elif entry.is_file():
                    yield path


def local_place(url: str, path: str) -> Path | None:
    """Place on the local disk at which something is going to be written, moved or removed.

    None for stores elsewhere.

    Raises
    ------
    OutsideStoreError
        If the path is none within the store, or a link on the way leads out of it. The last part may be a
        link, which is then moved or removed itself.
    """
    checked_path(path)
    root = local_path(url)
    if root is None:
        return None
    Boundary(root).enter(path.rpartition("/")[0])
    return root / path


def inside(url: str, path: str) -> str:
    """Address of a node of a store that is going to be written; the root has the path "".

    Raises
    ------
    OutsideStoreError
        As for `local_place`, or if the node itself is a link that leads out of the store.
    """
    if not path:
        return url
    checked_path(path)
    root = local_path(url)
    if root is not None:
        Boundary(root).check(path)
    return f"{url}/{path}"
