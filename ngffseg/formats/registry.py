"""Which module reads which suffix: one lazy table; a format is loaded when it is used.

Third parties add formats by the entry point ``ngffseg.formats``: its name is the suffix, its
value the module.
"""

from __future__ import annotations

import importlib
import os
from importlib.metadata import entry_points
from pathlib import Path
from typing import cast

from ngffseg.errors import MissingExtraError, UnknownFormatError
from ngffseg.formats.format import Format

# Suffix: module, and the extra that installs what it needs.
FORMATS = {
    ".seg.nrrd": ("ngffseg.formats.nrrd.seg_nrrd", ""),
    ".nrrd": ("ngffseg.formats.nrrd.nrrd", ""),
    ".nii.gz": ("ngffseg.formats.nifti.nifti", "nifti"),
    ".nii": ("ngffseg.formats.nifti.nifti", "nifti"),
}
GROUP = "ngffseg.formats"


def known_suffixes() -> tuple[str, ...]:
    """All suffixes that can be read or written, longest first."""
    found = {*FORMATS, *(point.name for point in entry_points(group=GROUP))}
    return tuple(sorted(found, key=lambda suffix: (-len(suffix), suffix)))


def suffix_of(path: str | os.PathLike[str]) -> str:
    """The longest known suffix of a file name, whatever stands before it and in whichever case.

    Raises
    ------
    UnknownFormatError
        If no format has its suffix.
    """
    name = Path(path).name.lower()
    suffix = next((s for s in known_suffixes() if name.endswith(s)), None)
    if suffix is None:
        known = " ".join(sorted(known_suffixes()))
        raise UnknownFormatError(f"{path}: no format is known for this suffix: use one of {known}")
    return suffix


def format_of(path: str | os.PathLike[str]) -> Format:
    """The module that reads and writes files of this name.

    Raises
    ------
    UnknownFormatError
        If no format has its suffix.
    MissingExtraError
        If the format needs a library that is not installed.
    """
    suffix = suffix_of(path)
    if suffix not in FORMATS:
        (point, *_) = entry_points(group=GROUP, name=suffix)
        return cast("Format", point.load())
    module, extra = FORMATS[suffix]
    try:
        return cast("Format", importlib.import_module(module))
    except ImportError as error:
        if not extra:
            raise
        raise MissingExtraError(
            f"{path}: {suffix} needs {error.name}: pip install 'ngffseg[{extra}]'"
        ) from error
