"""The files of an import: what they hold, and a digest of them."""

from __future__ import annotations

import glob
import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path

from ngffseg.convert.study import read_study, stem_of, study_files
from ngffseg.convert.table_rows import with_table
from ngffseg.errors import UsageError
from ngffseg.formats import LabelTable, read_segmentation, read_table, read_volume, table_beside, tell
from ngffseg.geometry import redescribed
from ngffseg.labels import PlaceOptions, canonical, image_beside
from ngffseg.model import Segmentation, Volume
from ngffseg.ngff import encode_json

PathLike = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class ImportFiles:
    """The files of an import.

    Parameters
    ----------
    source
        A file, a folder or a pattern of labels.
    image
        The image that was segmented.
    table
        A label table that is put over what the labels say.
    words
        Words that overrule where the labels lie.
    """

    source: PathLike
    image: PathLike | None
    table: PathLike | None
    words: PlaceOptions

    def fingerprint(self) -> str:
        """SHA-256 of what they hold; in a study their names count, too, and words that overrule them.

        Raises
        ------
        UsageError
            If one is not there.
        """
        study = study_files(self.source)
        found = hashlib.sha256()
        further = [Path(file) for file in (self.image, self.table) if file is not None]
        for file in [*(study or [Path(self.source)]), *further]:
            if not file.is_file():
                raise UsageError(f"{file}: there is no such file: check the path")
            if study is not None:
                found.update(file.name.encode())
            with file.open("rb") as data:
                found.update(hashlib.file_digest(data, "sha256").digest())
        # An image and a table that hold the same are two things.
        found.update(b"" if self.table is None else b"table")
        if self.words:
            found.update(encode_json(dict(sorted(self.words.items()))))
        return found.hexdigest()


@dataclass(frozen=True, slots=True)
class Imported:
    """What the files of an import hold.

    Parameters
    ----------
    segmentation, image
        The labels and their image, in the order in which they are stored.
    rows
        Those of the table that are put over the labels.
    """

    segmentation: Segmentation
    image: Volume | None
    rows: LabelTable | None


def read_files(given: ImportFiles, *, order: str, resample: bool) -> Imported:
    """Read the files of an import.

    Parameters
    ----------
    given
        The files.
    order
        "canonical", or "keep".
    resample
        Whether files of a study on other grids are brought onto one.

    Raises
    ------
    FormatError, UsageError
        If they cannot be understood, or contradict each other.
    """
    files = study_files(given.source)
    rows = read_table(given.table) if given.table is not None else None
    segmentation = (
        read_segmentation(given.source)
        if files is None
        else read_study(given.source, files, resample=resample)
    )
    if rows is not None:
        segmentation, rows = with_table(segmentation, rows)
    elif files is None:
        _tell_of_table(Path(given.source))
    image = read_volume(Path(given.image)) if given.image is not None else None
    if given.words:
        grid = redescribed(segmentation.geometry, **given.words)
        segmentation = replace(segmentation, geometry=grid, source_grid=None)
        # Words tell of the labels; the image that comes with them lies on their grid.
        image = image_beside(image.data, grid) if image is not None else None
    if order == "canonical":
        segmentation, image = canonical(segmentation, image)
    return Imported(segmentation, image, rows)


def _tell_of_table(source: Path) -> None:
    """Warn of a label table beside a file, which nobody has asked for."""
    unused = table_beside(source.expanduser().with_name(stem_of(source)))
    if unused is not None:
        message = f"{unused.file} beside it names {len(unused.rows)} label values and was not used: give it as table"
        tell(source.name, [message])


def stem(source: PathLike) -> str:
    """Name of a source without the suffix of its format; of a pattern, that of its folder."""
    path = Path(source)
    whole = path if not glob.has_magic(path.name) or path.exists() else path.parent
    return stem_of(whole.absolute())
