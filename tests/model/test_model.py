"""The values: what they accept, exactly, and what they refuse."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from ngffseg.errors import LabelValueError, UsageError
from ngffseg.geometry import Geometry
from ngffseg.model import Segment, Segmentation

GRID = Geometry((2, 3, 4), np.eye(4))
LABELS = np.zeros((2, 3, 4), np.uint8)


@pytest.mark.parametrize("value", [0, 1, np.uint8(7), np.int64(2**53 + 1), np.uint64(2**63 + 5), 2**64 - 1])
def test_label_values_are_exact(value):
    segment = Segment(value)
    assert type(segment.label_value) is int
    assert segment.label_value == int(value)


@pytest.mark.parametrize("value", [5.0, np.float64(5), "5", None, True, np.True_, -1, 2**64, 1j])
def test_what_is_no_label_value(value):
    with pytest.raises(LabelValueError, match="label value"):
        Segment(value)


def test_names_follow_ids_and_ids_follow_values():
    assert (Segment(5).id, Segment(5).name) == ("Segment_5", "Segment_5")
    assert Segment(5, id="a").name == "a"
    assert Segment(5, name="liver").id == "Segment_5"


def test_colors():
    assert Segment(1, color=(1, 2, 3)).color == (1, 2, 3, 255)
    assert Segment(1, color=np.array([1, 2, 3, 4], np.uint8)).color == (1, 2, 3, 4)
    for color in [(1, 2), (1, 2, 3, 4, 5), (256, 0, 0), (-1, 0, 0)]:
        with pytest.raises(UsageError, match="color"):
            Segment(1, color=color)


def test_segments_are_frozen():
    with pytest.raises(FrozenInstanceError):
        Segment(1).name = "x"
    with pytest.raises(UsageError, match="layer -1"):
        Segment(1, layer=-1)


@pytest.mark.parametrize(
    ("layers", "segments", "error", "message"),
    [
        ((), (), UsageError, "at least one layer"),
        ((LABELS.astype(float),), (), LabelValueError, "float64"),
        ((LABELS > 0,), (), LabelValueError, "bool"),
        ((LABELS[:1],), (), UsageError, "shape"),
        ((LABELS,), (Segment(1, layer=1),), UsageError, "layer 1, but there are 1"),
        ((LABELS,), (Segment(256),), LabelValueError, "256 does not fit uint8"),
        ((LABELS,), (Segment(1, id="a"), Segment(1, id="b")), UsageError, "used twice in layer 0"),
        ((LABELS,), (Segment(1, id="a"), Segment(2, id="a")), UsageError, "id is used twice"),
    ],
)
def test_segmentations_that_contradict_themselves(layers, segments, error, message):
    with pytest.raises(error, match=message):
        Segmentation(layers, segments, GRID)


def test_one_value_in_two_layers():
    Segmentation((LABELS, LABELS), (Segment(1, id="a"), Segment(1, id="b", layer=1)), GRID)
