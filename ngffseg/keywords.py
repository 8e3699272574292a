"""Keywords of public functions: unknown ones are refused, and values of a kind that they do not take."""

from __future__ import annotations

import difflib
import functools
import inspect
import operator
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

import numpy as np

from ngffseg.errors import OptionError

P = ParamSpec("P")
R = TypeVar("R")
# Characters of a value that a message shows.
LONGEST = 100
# Words of other libraries, and what tells the same here, if the function takes that at all ("" for any).
ELSEWHERE = {
    "axes": ("geometry", "axes are told by the grid: give 'geometry'"),
    "storage_options": ("", "settings of the store come from the environment, such as AWS_ENDPOINT_URL"),
}


@dataclass(frozen=True, slots=True)
class ValueKind:
    """A kind of value that a keyword takes.

    Parameters
    ----------
    expected
        What is allowed, for people.
    plain
        Turns a value into one of Python, exactly, or raises TypeError or ValueError.
    """

    expected: str
    plain: Callable[[Any], Any]

    def or_none(self) -> ValueKind:
        """The same kind, or None."""
        return ValueKind(
            f"{self.expected}, or None", lambda value: None if value is None else self.plain(value)
        )


def strict(options: Mapping[str, ValueKind] | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function refuse keywords that it does not know, and wrong values, before it begins.

    Parameters
    ----------
    options
        Kinds of what the function takes as ``**options``, and of parameters whose annotation is none of
        `ANNOTATED`.

    Raises
    ------
    OptionError
        By the function: with the nearest keyword that it knows, or with what is allowed.
    """

    def _decorate(function: Callable[P, R]) -> Callable[P, R]:
        own = [p for p in inspect.signature(function).parameters.values() if p.kind is not p.VAR_KEYWORD]
        shown = {p.name: ANNOTATED[p.annotation] for p in own if p.annotation in ANNOTATED}
        kinds = shown | dict(options or {})
        known = {p.name for p in own} | set(kinds)

        @functools.wraps(function)
        def _checked(*args: P.args, **kwargs: P.kwargs) -> R:
            for key in kwargs:
                if key not in known:
                    raise OptionError(_unknown(key, function.__name__, known))
            # Too many of them are an error of Python.
            for parameter, value in zip(own, args, strict=False):
                if parameter.name in kinds:
                    _plain(parameter.name, value, function.__name__, kinds[parameter.name])
            for key in kwargs.keys() & kinds.keys():
                kwargs[key] = _plain(key, kwargs[key], function.__name__, kinds[key])
            return function(*args, **kwargs)

        return _checked

    return _decorate


def _unknown(key: str, function: str, known: set[str]) -> str:
    names = ", ".join(sorted(known))
    needed, hint = ELSEWHERE.get(key, ("", ""))
    if not hint or needed not in known | {""}:
        hint = nearest(key, sorted(known))
    return f"unknown option {key!r} of {function}{hint and f': {hint}'} (known: {names})"


def nearest(word: str, known: Sequence[str]) -> str:
    """The question whether the most similar of the known words was meant; empty if none is similar."""
    found = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {found[0]!r}?" if found else ""


def _plain(key: str, value: Any, function: str, kind: ValueKind) -> Any:
    try:
        return kind.plain(value)
    except (TypeError, ValueError):
        raise OptionError(f"{key} of {function} is {shown(value)}: give {kind.expected}") from None


def shown(value: Any) -> str:
    """A value in one line, as a message shows it."""
    shown = " ".join(repr(value).split())
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"


def _truth(value: Any) -> bool:
    # A text is True in Python, whatever it says.
    if not isinstance(value, bool | np.bool_):
        raise TypeError
    return bool(value)


def _whole(value: Any) -> int:
    # operator.index takes True for 1; a float is no exact number of anything.
    if isinstance(value, bool | np.bool_):
        raise TypeError
    return operator.index(value)


def _positive(value: Any) -> int:
    if (found := _whole(value)) < 1:
        raise ValueError
    return found


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return str(value)


def _address(value: Any) -> str | os.PathLike[str]:
    if not isinstance(value, str | os.PathLike) or isinstance(os.fspath(value), bytes):
        raise TypeError
    return value


def _label_image(value: Any) -> Any:
    # Its class lies in a room above.
    if not all(hasattr(value, name) for name in ("url", "name", "segments", "level")):
        raise TypeError
    return value


def _grid(value: Any) -> Any:
    return value if hasattr(value, "affine") else tuple(_whole(size) for size in _listed(value) or [None])


def _integers(value: Any) -> np.dtype[Any]:
    # None would be float64, and bytes a type of texts.
    found: np.dtype[Any] = np.dtype(value if isinstance(value, str | type | np.dtype) else "O")
    if found.kind not in "iu":
        raise TypeError
    return found


def _listed(value: Any) -> list[Any] | None:
    """The members of a list, a tuple or an array; None if it is none."""
    if isinstance(value, np.ndarray) and value.ndim:
        return list(value)
    return list(value) if isinstance(value, list | tuple) else None


def _sizes(value: Any) -> int | tuple[int, ...]:
    listed = _listed(value)
    return _whole(value) if listed is None else tuple(_whole(each) for each in listed)


def _steps(value: Any) -> Any:
    listed = _listed(value) or []
    if listed and all(_listed(each) is not None for each in listed):
        return [_sizes(each) for each in listed]
    return _sizes(value)


def one_of(words: Sequence[str]) -> ValueKind:
    """One of some words."""

    def _known(value: Any) -> str:
        if _text(value) not in words:
            raise ValueError
        return str(value)

    return ValueKind(f"one of {', '.join(map(repr, words))}", _known)


TRUTH = ValueKind("True or False", _truth)
WHOLE = ValueKind("a whole number", _whole)
POSITIVE = ValueKind("a whole number from 1", _positive)
TEXT = ValueKind("a text", _text)
ADDRESS = ValueKind("a path or an address as text", _address)
SIZES = ValueKind("a whole number for all space axes, or a list with one per axis", _sizes)
STEPS = ValueKind(
    "a whole number, a list with one per space axis, or a list of such lists, one per level", _steps
)
# Annotations that tell the kind of a parameter, as they are written.
ANNOTATED = {
    "bool": TRUTH,
    "int": WHOLE,
    "str": TEXT,
    "str | None": TEXT.or_none(),
    "str | os.PathLike[str]": ADDRESS,
    "str | os.PathLike[str] | None": ADDRESS.or_none(),
    "LabelImage": ValueKind("a label image, as open_labels gives", _label_image),
    "Geometry | Sequence[int]": ValueKind("a Geometry, or a list with the number of voxels per axis", _grid),
    "npt.DTypeLike": ValueKind("a type of integers", _integers),
}
