"""Reading and writing files of any format: provenance, clear errors, and all or nothing."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ngffseg.errors import FormatError, LabelValueError, NgffsegError, StoreError, UsageError
from ngffseg.formats.notices import tell
from ngffseg.formats.registry import format_of, suffix_of
from ngffseg.formats.sayable import shear_note
from ngffseg.geometry import Geometry
from ngffseg.model import Loss, Segmentation, Source, Volume


def read_segmentation(path: str | os.PathLike[str]) -> Segmentation:
    """Read a segmentation file; its suffix tells the format.

    Raises
    ------
    UsageError
        If there is no such file.
    FormatError, LabelValueError
        If it cannot be read, or holds no exact, non-negative integers.

    Warns
    -----
    NgffsegWarning
        Where readers differ in what the file says of its place, in one line each.
    """
    file = _existing(path)
    with _reading(file):
        segmentation = format_of(file).read(file)
        _tell_of_shear(file, segmentation.geometry)
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    source = Source(suffix_of(file).removeprefix("."), file.name, digest)
    return replace(segmentation, source=source)


def read_volume(path: str | os.PathLike[str]) -> Volume:
    """Read an intensity image; its suffix tells the format.

    Raises
    ------
    UsageError
        If there is no such file.
    FormatError
        If it cannot be read.
    """
    file = _existing(path)
    with _reading(file):
        volume = format_of(file).read_volume(file)
        _tell_of_shear(file, volume.geometry)
    return replace(volume, name=file.name[: -len(suffix_of(file))])


def write_segmentation(segmentation: Segmentation, path: str | os.PathLike[str]) -> tuple[Loss, ...]:
    """Write a segmentation file in one step; what its format cannot hold is returned.

    On any failure there is no new file, and one that was there is as it was.

    Raises
    ------
    LossError
        If voxels or label values would change.
    FormatError
        If the format is unknown, or cannot hold the axes or some text.
    StoreError
        If the disk fails.
    """
    file = Path(path)
    chosen = format_of(file)
    try:
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".ngffseg-") as folder:
            aside = Path(folder) / file.name
            losses = chosen.write(segmentation, aside)
            aside.replace(file)
    except NgffsegError:
        raise
    except UnicodeEncodeError as error:
        # JSON can hold halves of surrogate pairs; no encoding of text can.
        near = error.object[max(error.start - 20, 0) : error.end + 20]
        raise FormatError(
            f"{file} was not written: half a character stands in {near!r}, which no file can hold: change that text"
        ) from error
    except OSError as error:
        raise StoreError(
            f"{file} was not written ({error.strerror or error}): check the disk and run again"
        ) from error
    return losses


@contextlib.contextmanager
def _reading(file: Path) -> Iterator[None]:
    """What is raised while a file is read, as one clear line that names it."""
    try:
        yield
    except (FormatError, LabelValueError) as error:
        if file.name in str(error):
            raise
        raise type(error)(f"{file.name}: {error}") from error
    except UsageError as error:
        raise FormatError(
            f"{file.name}: {error}"
        ) from error  # a grid that cannot be is the fault of the file
    except NgffsegError:
        raise
    except OSError as error:
        raise FormatError(
            f"{file} cannot be read ({error.strerror or error}): check its rights and its disk"
        ) from error


def _tell_of_shear(file: Path, geometry: Geometry) -> None:
    note = shear_note(geometry)
    if note is not None:
        tell(file.name, [note])


def _existing(path: str | os.PathLike[str]) -> Path:
    file = Path(path).expanduser()
    if file.is_dir():
        raise FormatError(f"{file} is a folder: give a file")
    if not file.exists():
        raise UsageError(f"{file}: there is no such file: check the path")
    return file
