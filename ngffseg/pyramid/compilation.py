"""Decorators of kernels: numba compiles them, and keeps what it compiled where it may write.

numba takes a quarter of a second to import, so that waits, with all that it does, for the first call of a kernel.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

# One kernel is given to numba at a time: where it keeps its code is told by a variable of its module.
_lock = threading.RLock()


class Kernel:
    """A function of labels that numba compiles when it is first called.

    Parameters
    ----------
    function
        The function. Other kernels that it calls are those of its module, by their names there.
    given
        Gives a function to numba.
    """

    def __init__(self, function: Callable[..., Any], given: Callable[[Callable[..., Any]], Any]) -> None:
        self.function, self.given = function, given
        self._dispatcher: Any = None

    def __call__(self, *arguments: Any) -> Any:
        """Call what numba has made of the function."""
        made = self.dispatcher if self._dispatcher is None else self._dispatcher
        return made(*arguments)

    @property
    def dispatcher(self) -> Any:
        """What numba has made of the function."""
        with _lock:
            if self._dispatcher is None:
                known = self.function.__globals__
                for name in self.function.__code__.co_names:
                    if isinstance(known.get(name), Kernel):
                        # numba looks names up in the module, and knows only what it has made itself.
                        known[name] = known[name].dispatcher
                self._dispatcher = self.given(self.function)
            return self._dispatcher


def inlined(function: Callable[..., Any]) -> Any:
    """A part of a kernel, which is compiled into each that calls it."""
    return Kernel(function, lambda part: _njit(part, inline="always"))


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a kernel when it is first called, and keep the code for later processes where that is possible.

    numba looks at NUMBA_CACHE_DIR, then at the folder of the source, then at the user's cache folder
    (XDG_CACHE_HOME). Containers and clusters may let us write to none of them; then a folder of our own among
    the temporary files takes it, and without one each process compiles anew.
    """
    return Kernel(function, _kept)


def _kept(function: Callable[..., Any]) -> Any:
    """What numba makes of a function, and keeps where that is possible."""
    options: Any = {"nogil": True, "boundscheck": False, "error_model": "numpy"}
    try:
        return _njit(function, cache=True, **options)
    except RuntimeError:  # "cannot cache function": no folder can be written
        folder = _private_folder()
    if folder is None:
        return _njit(function, **options)
    config: Any = sys.modules["numba"].config
    before = config.CACHE_DIR
    config.CACHE_DIR = folder  # it is looked at while a function is decorated
    try:
        return _njit(function, cache=True, **options)
    except RuntimeError:
        return _njit(function, **options)
    finally:
        config.CACHE_DIR = before


def _njit(function: Callable[..., Any], **options: Any) -> Any:
    import numba  # a quarter of a second, and who only reads has no kernel to call

    return numba.njit(**options)(function)


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
