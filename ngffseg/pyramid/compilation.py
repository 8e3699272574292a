"""Decorators of kernels: numba compiles them, and keeps what it compiled where it may write."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

# A part of a kernel, which is compiled into each that calls it.
inlined: Any = numba.njit(inline="always")


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a kernel when it is first called, and keep the code for later processes where that is possible.

    numba looks at NUMBA_CACHE_DIR, then at the folder of the source, then at the user's cache folder
    (XDG_CACHE_HOME). Containers and clusters may let us write to none of them; then a folder of our own among
    the temporary files takes it, and without one each process compiles anew.
    """
    options: Any = {"nogil": True, "boundscheck": False, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # "cannot cache function": no folder can be written
        folder = _private_folder()
    if folder is None:
        return numba.njit(**options)(function)
    config: Any = numba.config
    before = config.CACHE_DIR
    config.CACHE_DIR = folder  # it is looked at while a function is decorated
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:
        return numba.njit(**options)(function)
    finally:
        config.CACHE_DIR = before


def as_input(labels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the same labels as kernels take them: unsigned, and not to be written.

    A kernel is compiled for each type that it meets, which takes a second: signs, and flags that say whether
    somebody may write, would make four types of one. The order of bytes stays.
    """
    view = labels.view(unsigned(labels.dtype))
    view.flags.writeable = False
    return view


def unsigned(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the unsigned dtype of the same size and order of bytes."""
    return np.dtype(dtype.str.replace("i", "u"))


def _private_folder() -> str | None:
    """A folder among the temporary files that only we can write; None if there is none to be had.

    What is found in it is run as code, so a folder that somebody else has made under this name is not used.
    """
    if not hasattr(os, "getuid"):
        return None
    try:
        folder = Path(tempfile.gettempdir()) / f"ngffseg-numba-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
    return str(folder) if ours else None
