"""What somebody should know who reads a file: one line each, as warnings."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterable, Iterator
from contextvars import ContextVar

from ngffseg.errors import NgffsegWarning

# By line, the names of the files that it is about, while they are told together.
_TOGETHER: ContextVar[dict[str, list[str]] | None] = ContextVar("together", default=None)


def tell(name: str, lines: Iterable[str]) -> None:
    """Warn of each line, with the name of the file before it."""
    collected = _TOGETHER.get()
    for line in lines:
        if collected is None:
            warnings.warn(f"{name}: {line}", NgffsegWarning, stacklevel=2)
        else:
            collected.setdefault(line, []).append(name)


@contextlib.contextmanager
def one_warning() -> Iterator[None]:
    """Within it, lines are kept; at its end each is told once, with the number of files that it is about."""
    collected: dict[str, list[str]] = {}
    token = _TOGETHER.set(collected)
    try:
        yield
    finally:
        _TOGETHER.reset(token)
    for line, names in collected.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        tell(f"{names[0]}{more}", [line])
