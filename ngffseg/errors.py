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

A message is one line: what is wrong, where, and what to do.

What was decided for the caller, and does not stop anything, is an `NgffsegWarning`.
"""

from __future__ import annotations

from typing import Self


class NgffsegError(Exception):
    """Base of all errors that ngffseg raises on purpose."""


class NgffsegWarning(UserWarning):
    """A decision that the caller should know of, in one line; the command line shows it on stderr."""


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

    def __new__(cls, *args: object) -> Self:
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

    def __new__(cls, *args: object) -> Self:
        """The wider of two builtins, as in `LabelExistsError`."""
        return ImportError.__new__(cls, *args)


class LossError(FormatError):
    """The target format cannot hold what would be written to it.

    ``strict`` tells that it was the caller who ruled out any loss.
    """

    def __init__(self, message: str, *, strict: bool = False) -> None:
        super().__init__(message)
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
