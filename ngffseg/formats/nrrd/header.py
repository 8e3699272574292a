"""The header of a NRRD file (https://teem.sourceforge.net/nrrd/format.html), both ways.

Own code, since pynrrd reads and writes ASCII only and neither escapes nor unescapes newlines.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ngffseg.errors import FormatError

# All spellings of the specification, "Basic Field Specifications: type".
TYPES = {
    "int8": ("signed char", "int8", "int8_t"),
    "uint8": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "int16": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "uint16": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "int32": ("int", "signed int", "int32", "int32_t"),
    "uint32": ("uint", "unsigned int", "uint32", "uint32_t"),
    "int64": (
        "longlong",
        "long long",
        "long long int",
        "signed long long",
        "signed long long int",
        "int64",
        "int64_t",
    ),
    "uint64": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "float32": ("float",),
    "float64": ("double",),
}
DTYPE_OF = {spelling: dtype for dtype, spellings in TYPES.items() for spelling in spellings}
# The names that ITK writes, so that its readers and ours agree.
ITK_NAMES = {
    "int8": "signed char", "uint8": "unsigned char", "int16": "short", "uint16": "unsigned short",
    "int32": "int", "uint32": "unsigned int", "int64": "long long int", "uint64": "unsigned long long int",
}  # fmt: skip
# "centers" is what the specification says, "centerings" is an alias of it.
ALIASES = {"centers": "centerings", "lineskip": "line skip", "byteskip": "byte skip", "datafile": "data file"}


TEXT = ("ascii", "text", "txt")
# "(1,0,0)", also with blanks, or "none".
VECTOR = re.compile(r"\(([^()]*)\)|(none)", re.IGNORECASE)
# Ends of a line, and of a text of C.
BREAK = re.compile("[\n\r\0]")


@dataclass(slots=True)
class Header:
    """Fields (``name: value``) and key/value pairs (``key:=value``), both in the order of the file."""

    fields: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)

    def numbers(self, name: str) -> list[int]:
        """A field of whole numbers.

        Raises
        ------
        FormatError
            If it is missing or holds something else.
        """
        try:
            return [int(word) for word in self.fields[name].split()]
        except KeyError:
            raise FormatError(f"the NRRD field {name!r} is missing") from None
        except ValueError:
            raise FormatError(
                f"the NRRD field {name!r} holds no whole numbers: {self.fields[name][:60]!r}"
            ) from None

    def dtype(self) -> np.dtype[np.generic]:
        """Dtype of the voxels, in the byte order of the file."""
        spelling = self.fields.get("type", "")
        if spelling.lower() not in DTYPE_OF:
            raise FormatError(f"the NRRD type {spelling!r} is not known")
        dtype = np.dtype(DTYPE_OF[spelling.lower()])
        endian = self.fields.get("endian", "").lower()
        if dtype.itemsize > 1 and self.encoding() not in TEXT:
            if endian not in ("little", "big"):
                raise FormatError(f"the NRRD field 'endian' is {endian!r}: it must be little or big")
            return dtype.newbyteorder("<" if endian == "little" else ">")
        return dtype

    def encoding(self) -> str:
        """How the voxels are written, in lower case: ITK writes ``ASCII``, others ``gzip``."""
        return self.fields.get("encoding", "").lower()

    def space_size(self) -> int | None:
        """Number of directions of its space; `None` where it tells of none."""
        if self.fields.get("space"):
            return 4 if self.fields["space"].lower().endswith("time") else 3
        return (self.numbers("space dimension") or [0])[0] if "space dimension" in self.fields else None

    def vectors(self, name: str, length: int | None) -> list[list[float] | None]:
        """A field of vectors, such as ``(1,0,0) none``; all have one length.

        Raises
        ------
        FormatError
            If it holds something else, or vectors of another length.
        """
        text = self.fields[name]
        if VECTOR.sub("", text).strip():
            raise FormatError(f"the NRRD field {name!r} holds something that is no vector: {text[:60]!r}")
        vectors: list[list[float] | None] = []
        for inside, _ in VECTOR.findall(text):
            vector = _numbers(name, inside) if inside else None
            if vector is None or all(map(math.isnan, vector)):
                vectors.append(None)  # old files have "(nan,nan,nan)" for "none"
                continue
            length = length or len(vector)
            if len(vector) != length:
                # "the number of coefficients is the dimension of the space": a decimal comma would be one more.
                raise FormatError(
                    f"the NRRD field {name!r} holds a vector of {len(vector)} numbers, ({inside}), in a space of "
                    f"{length}: are there decimal commas?"
                )
            vectors.append(vector)
        return vectors


def _numbers(name: str, text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise FormatError(f"the NRRD field {name!r} holds no vector: {text[:60]!r}") from None


def read_header(path: Path) -> tuple[Header, bytes]:
    """Header and the bytes behind it.

    Raises
    ------
    FormatError
        If the file is no NRRD file, or its header has no end.
    """
    content = path.read_bytes()
    if not content.startswith(b"NRRD000"):
        raise FormatError("this is no NRRD file: it does not begin with NRRD000")
    ends = [i + len(end) for end in (b"\n\n", b"\r\n\r\n") if (i := content.find(end)) >= 0]
    if not ends:
        raise FormatError("the NRRD header has no end: the file is truncated, or its data are detached")
    header = Header()
    for raw in _text(content[: min(ends)]).split("\n")[1:]:
        line = raw.rstrip("\r")
        if line.startswith("#") or not line:
            continue
        # The first of ":=" and ": " decides: a key may hold no ":=", a value may.
        key, pair, value = line.partition(":=")
        name, colon, rest = line.partition(":")
        if pair and key == name:
            header.keys[_unescaped(key)] = _unescaped(value)
        elif colon:
            header.fields[ALIASES.get(name.lower(), name.lower())] = rest.strip()
        else:
            raise FormatError(f"the NRRD header has a line that is neither field nor key: {line[:60]!r}")
    return header, content[min(ends) :]


def _text(head: bytes) -> str:
    """UTF-8, as Slicer writes it; old files hold Latin-1, in which every byte is a letter."""
    try:
        return head.decode("utf-8")
    except UnicodeDecodeError:
        return head.decode("latin-1")


def header_bytes(header: Header) -> bytes:
    """The header as it stands in a file, its empty last line included.

    Raises
    ------
    FormatError
        If a reader would take a field or a key for something else.
    """
    for name, value in header.fields.items():
        if not name.isprintable() or ":" in name or name.startswith("#") or BREAK.search(value):
            raise FormatError(f"the NRRD field {name!r} cannot hold {value!r}: it is one line; change it")
    for key, value in header.keys.items():
        # A reader takes the first colon for the end of a key, and CR with the newline for the end of a line.
        if not key or ":" in key or "\r" in key or key.startswith("#") or value.endswith("\r"):
            raise FormatError(f"the NRRD key {key!r} cannot hold {value!r}: change one of them")
    lines = [
        "NRRD0004",
        "# Complete NRRD file format specification at:",
        "# http://teem.sourceforge.net/nrrd/format.html",
    ]
    lines += [f"{name}: {value}" for name, value in header.fields.items()]
    lines += [f"{_escaped(key)}:={_escaped(value)}" for key, value in header.keys.items()]
    return ("\n".join(lines) + "\n\n").encode("utf-8")


def _escaped(text: str) -> str:
    # "the newline character is represented by \n, the backslash by \\"
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _unescaped(text: str) -> str:
    parts = text.split("\\\\")
    return "\\".join(part.replace("\\n", "\n") for part in parts)
