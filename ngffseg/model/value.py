"""Plain values: what JSON can hold, exactly."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ngffseg.errors import UsageError

# Members of an array that becomes a list: longer ones belong into a table or an array of their own.
LARGEST_ARRAY = 1024
# Lists and dicts within each other. Without a number of ours it would be the stack that ends it, whose depth is
# another one in each version of Python.
DEEPEST = 400


def is_plain(value: object) -> bool:
    """Return True if a value is surely plain; tables have millions of those, others are looked at closely."""
    kind = type(value)
    if kind is str:
        return value.isascii()  # type: ignore[attr-defined, no-any-return]
    return kind in (int, bool) or value is None or (kind is float and math.isfinite(value))  # type: ignore[arg-type]


def plain_value(value: Any, where: str) -> Any:
    """A value as None, bool, int, float, text, and lists and dicts of them, without any loss.

    Scalars and arrays of numpy of up to 1,024 members become such values, exactly; dates become ISO text.

    Parameters
    ----------
    value
        The value.
    where
        What it is, for people.

    Raises
    ------
    UsageError
        If JSON cannot hold it: NaN and infinity (None becomes null), bytes, complex numbers, objects. If it is
        nested more than 400 deep.
    """
    return _plain(value, where, 0)


def _plain(value: Any, where: str, depth: int) -> Any:
    if depth > DEEPEST:
        raise UsageError(f"{where.partition('[')[0]} is nested more than {DEEPEST} deep: flatten it")
    if value is None or type(value) in (bool, int):
        return value
    if isinstance(value, str):
        return plain_text(value, where)
    if isinstance(value, np.ndarray):
        if value.size > LARGEST_ARRAY:
            raise UsageError(f"{where} is an array of {value.size} members: give up to {LARGEST_ARRAY}")
        # Dates would become numbers in tolist.
        return _plain(value[()] if not value.ndim else list(value), where, depth)
    if isinstance(value, Mapping):
        return {_key(key, where): _plain(v, f"{where}[{key!r}]", depth + 1) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v, f"{where}[{number}]", depth + 1) for number, v in enumerate(value)]
    return _plain_scalar(value, where)


def _plain_scalar(value: Any, where: str) -> Any:
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, np.timedelta64):  # numpy counts it among the integers
        raise _refused(value, where)
    if isinstance(value, np.integer | int):
        return int(value)
    if isinstance(value, float | np.floating):
        exact = float(value)
        # RFC 8259: "Numeric values that cannot be represented in the grammar below (such as Infinity and NaN)
        # are not permitted."
        if not math.isfinite(exact):
            raise UsageError(
                f"{where} is {exact}, which JSON cannot hold: use None for null, or leave it out"
            )
        if exact != value:
            raise UsageError(f"{where} is {value!r}, which float64 cannot hold: round it, or give a text")
        return exact
    if isinstance(value, np.datetime64 | datetime.date) and str(value) != "NaT":
        return str(value) if isinstance(value, np.datetime64) else value.isoformat()
    raise _refused(value, where)


def _refused(value: object, where: str) -> UsageError:
    kind = type(value).__name__
    return UsageError(
        f"{where} is a {kind}, which JSON cannot hold: give numbers, texts, lists or dicts of them"
    )


def _key(key: object, where: str) -> str:
    if not isinstance(key, str):
        raise UsageError(f"{where}: key {key!r} is no text: JSON has no others")
    return plain_text(key, where)


def plain_text(text: object, where: str) -> str:
    """A text that can be stored.

    Raises
    ------
    UsageError
        If it is none, or holds half a character, which has no place in UTF-8.
    """
    if not isinstance(text, str):
        raise UsageError(f"{where} {text!r} is no text: give a str")
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise UsageError(f"{where} {text!r} holds a lone surrogate, which UTF-8 has not: take it out")
    return str(text)
