"""Coded concepts: what a segment is, in the terms of DICOM PS3.16."""

from __future__ import annotations

from dataclasses import dataclass

from ngffseg.model.value import plain_text


@dataclass(frozen=True, slots=True)
class Code:
    """A coded concept (DICOM PS3.3 8.8): value within a coding scheme, with its meaning."""

    value: str
    scheme: str
    meaning: str
    version: str = ""

    def __post_init__(self) -> None:
        for text in (self.value, self.scheme, self.meaning, self.version):
            plain_text(text, "code")


@dataclass(frozen=True, slots=True)
class CodedRegion:
    """An anatomic region with its modifiers (laterality and the like)."""

    code: Code
    modifiers: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True)
class Codes:
    """What a segment is and where it lies (DICOM PS3.3 C.8.20.4, 3D Slicer terminologies).

    ``terminology`` and ``anatomy_terminology`` name the lists that the codes were picked from,
    as 3D Slicer stores them.
    """

    category: Code | None = None
    type: Code | None = None
    type_modifiers: tuple[Code, ...] = ()
    regions: tuple[CodedRegion, ...] = ()
    terminology: str = ""
    anatomy_terminology: str = ""
