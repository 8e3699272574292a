"""All errors of ngffseg, split by whose fault it is; each is also the builtin that people catch.

::

    NgffsegError
    ├── UsageError (ValueError)                  an argument of the caller is wrong
    │   ├── OptionError (TypeError)              a keyword that is not known, or a value of a wrong kind
    │   ├── LabelValueError                      labels are floats, negative or too large
    │   ├── LabelNameError                       a name that cannot be a folder under ``labels``
    │   ├── LabelExistsError (FileExistsError)   the label image is there and may not be replaced
    │   └── JobError                             a job that another run does, or that is not this one
    ├── FormatError (ValueError)                 a source file, or what a target format can hold
    │   ├── UnknownFormatError                   no format has this suffix
    │   ├── MissingExtraError (ImportError)      the format needs a library that is not installed
    │   └── LossError                            the target cannot hold what would be exported
    ├── MetadataError (ValueError)               what is stored is not valid OME-Zarr
    │   └── OutsideStoreError                    a path or link in a store that leads out of it
    ├── ClusterError (RuntimeError)              the dask cluster cannot do the work
    └── StoreError (OSError)                     the store, the disk or the network failed
        ├── StoreNotFoundError (FileNotFoundError)
        ├── StorePermissionError (PermissionError)
        ├── ChunkError                           a stored chunk that cannot be decoded
        └── StaleError                           written again or removed since it was opened

A message is one line: what is wrong, where, and what to do. Where people would do that in other words at the command
line than in Python, what to do is a `Hint`, too, which crosses processes with the error.

What was decided for the caller, and does not stop anything, is an `NgffsegWarning`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Self

Action = Literal[
    "resume", "begin anew", "overwrite", "lose", "rebuild", "fix", "list labels", "list segments",
    "give as image", "crop", "resample", "force place", "anonymous", "endpoint",
]  # fmt: skip
WORDS: dict[Action, str] = {
    "resume": "resume=True",
    "begin anew": "with resume=False",
    "overwrite": "overwrite it (overwrite=True)",
    "lose": "with strict=False",
    "rebuild": "ngffseg.rebuild_levels({url!r}, {name!r})",
    "fix": "ngffseg.check({url!r}, fix=True)",
    "list labels": "ngffseg.labels.list_labels({url!r})",
    "list segments": "ngffseg.segment_index(image).labels()",
    "give as image": "as the image",
    "crop": "crop=True",
    "resample": "resample='nearest'",
    "force place": "force_place=True",
    "anonymous": "AWS_NO_SIGN_REQUEST=YES",
    "endpoint": "AWS_ENDPOINT_URL",
}


@dataclass(frozen=True, slots=True)
class Hint:
    """Something that people can do about an error; as a text it is worded for Python.

    The command line replaces this text in the message by its own words (the command line).

    Parameters
    ----------
    action
        What can be done.
    url, name
        The store and the label image that it is done to, where the words name them.
    """

    action: Action
    url: str = ""
    name: str = ""

    def __str__(self) -> str:
        return WORDS[self.action].format(url=self.url, name=self.name)


class NgffsegError(Exception):
    """Base of all errors that ngffseg raises on purpose.

    Parameters
    ----------
    message
        What is wrong, where, and what to do, in one line.
    hints
        What can be done, each as it stands in the message.
    """

    # Of errors that were made without `__init__`, too, as unpickling may do.
    hints: tuple[Hint, ...] = ()

    def __init__(self, message: object = "", *, hints: Sequence[Hint] = ()) -> None:
        super().__init__(message)
        if hints:
            self.hints = tuple(hints)


def hints_of(error: BaseException) -> Iterator[Hint]:
    """All hints of an error and of what caused it, whose messages may be part of its own."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, NgffsegError):
            yield from cause.hints
        cause = cause.__cause__


class NgffsegWarning(UserWarning):
    """A decision that the caller should know of, in one line; the command line shows it on stderr.

    Parameters
    ----------
    message, hints
        As of `NgffsegError`.
    """

    def __init__(self, message: object = "", *, hints: Iterable[Hint] = ()) -> None:
        super().__init__(message)
        self.hints = tuple(hints)


class UsageError(NgffsegError, ValueError):
    """An argument of the caller is wrong."""


class OptionError(UsageError, TypeError):
    """A keyword that the function does not know, or a value of a kind that it does not take."""


class LabelValueError(UsageError):
    """Labels that are no exact, non-negative integers of the array's dtype."""


class LabelNameError(UsageError):
    """A name that cannot be one folder under ``labels``."""


class LabelExistsError(UsageError, FileExistsError):
    """The label image exists and the caller did not ask to replace it."""

    def __new__(cls, *args: object, **_hints: object) -> Self:
        """The wider of two builtins; dask unpickles exceptions by `__new__`, and would find the other."""
        return FileExistsError.__new__(cls, *args)


class JobError(UsageError):
    """Another run is at this job, or it was begun with other labels or options."""


class FormatError(NgffsegError, ValueError):
    """A source file that cannot be read, or a target that cannot be written."""


class UnknownFormatError(FormatError):
    """No known format has this suffix."""


class MissingExtraError(FormatError, ImportError):
    """The format needs an optional library that is not installed."""

    def __new__(cls, *args: object, **_hints: object) -> Self:
        """The wider of two builtins, as in `LabelExistsError`."""
        return ImportError.__new__(cls, *args)


class LossError(FormatError):
    """The target format cannot hold what would be written to it.

    ``strict`` tells that it was the caller who ruled out any loss.
    """

    def __init__(self, message: object = "", *, hints: Sequence[Hint] = (), strict: bool = False) -> None:
        super().__init__(message, hints=hints)
        self.strict = strict


class MetadataError(NgffsegError, ValueError):
    """Stored metadata that is not valid OME-Zarr, or that would not be."""


class OutsideStoreError(MetadataError):
    """A path that is none within a store, or a symbolic link that leads out of it."""


class ClusterError(NgffsegError, RuntimeError):
    """The dask cluster does not answer, or its workers cannot do the work."""


class StoreError(NgffsegError, OSError):
    """The store, the disk or the network failed."""


class StoreNotFoundError(StoreError, FileNotFoundError):
    """There is no store, image or label image at this address."""


class StorePermissionError(StoreError, PermissionError):
    """The store may not be read or written with these credentials."""


class ChunkError(StoreError):
    """A chunk of a stored array is damaged; the message names level and chunk."""


class StaleError(StoreError):
    """What was opened has been written again or removed since: open it again."""
