"""Label tables in the XML extension of NIfTI that Caret and Connectome Workbench read."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from ngffseg.errors import FormatError
from ngffseg.model import Color, Segment

# nifti1.h: NIFTI_ECODE_CARET. Others write the same XML with code 0, so its content decides.
CODE = 30
# XML 1.0, 2.2: "Char ::= #x9 | #xA | #xD | [#x20-#xD7FF] | [#xE000-#xFFFD] | [#x10000-#x10FFFF]"
NO_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def is_label_table(content: bytes) -> bool:
    """Return True if an extension holds a label table."""
    return b"<LabelTable" in content


def parse_label_table(content: bytes) -> tuple[Segment, ...]:
    """A segment for each entry, also for those without voxels.

    Raises
    ------
    FormatError
        If the XML is broken.
    """
    text = content.rstrip(b"\0")
    if b"<!ENTITY" in text:
        # An entity that holds others can grow without bounds.
        raise FormatError("the label table of the NIfTI file defines XML entities: remove them")
    try:
        labels = ET.fromstring(text).iter("Label")
        return tuple(_segment(label) for label in labels if int(label.attrib["Key"]) >= 0)
    except (ET.ParseError, KeyError, ValueError) as error:
        raise FormatError(f"the label table of the NIfTI file is broken ({error})") from error


def _segment(label: ET.Element) -> Segment:
    channels = [label.attrib.get(c) for c in ("Red", "Green", "Blue")]
    color: Color | None = None
    if all(c is not None for c in channels):
        red, green, blue, alpha = (
            round(min(max(float(c or 0), 0.0), 1.0) * 255)
            for c in [*channels, label.attrib.get("Alpha", "1")]
        )
        color = red, green, blue, alpha
    return Segment(int(label.attrib["Key"]), name=(label.text or "").strip(), color=color)


def format_label_table(segments: Sequence[Segment]) -> bytes:
    """The label table of segments as XML; U+FFFD stands for what XML cannot hold."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<CaretExtension><VolumeInformation Index="0"><LabelTable>',
        *(_label(segment) for segment in segments),
        "</LabelTable><StudyMetaDataLinkSet></StudyMetaDataLinkSet>",
        "<VolumeType><![CDATA[Label]]></VolumeType></VolumeInformation></CaretExtension>",
    ]
    return "\n".join(lines).encode("utf-8")


def _label(segment: Segment) -> str:
    key = quoteattr(str(segment.label_value))
    color = ""
    if segment.color is not None:
        names = ("Red", "Green", "Blue", "Alpha")
        color = "".join(f' {n}="{c / 255:.9g}"' for n, c in zip(names, segment.color, strict=True))
    # A parser takes a bare carriage return for the end of a line.
    name = escape(NO_CHARACTER.sub("\ufffd", segment.name), {"\r": "&#13;"})
    return f"<Label Key={key}{color}>{name}</Label>"
