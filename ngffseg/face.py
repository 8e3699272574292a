"""Faces of rooms, whose names are loaded when they are first used (PEP 562)."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def lazy_face(room: str, names: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the ``__getattr__`` and the ``__dir__`` of a package that loads its modules when a name is used.

    So a program that needs one module of a room does not import all of them, and what they stand on.

    Parameters
    ----------
    room
        Name of the package.
    names
        Public names of each of its modules, with a space between them.
    """
    homes = {name: module for module, listed in names.items() for name in listed.split()}

    def load(name: str) -> Any:
        """Import the module of a public name, and keep its names in the package."""
        if name not in homes:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        module = importlib.import_module(f"{room}.{homes[name]}")
        # A name may be looked up for each chunk; Python asks here only for those that the package has not.
        face = vars(sys.modules[room])
        face.update((each, getattr(module, each)) for each in names[homes[name]].split())
        return face[name]

    return load, lambda: sorted(homes)
