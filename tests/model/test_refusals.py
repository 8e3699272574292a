"""What the values refuse, in words that name the place, and what they never change."""

import copy
import pickle
from dataclasses import FrozenInstanceError, fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngffseg.errors import LabelValueError, UsageError
from ngffseg.geometry import identity
from ngffseg.model import Algorithm, Code, CodedRegion, Codes, Loss, Segment, Segmentation, Source, Volume

LIVER = Code("10200004", "SCT", "Liver")
LABELS = np.zeros((2, 3), np.uint8)
VALUES = [
    LIVER,
    CodedRegion(LIVER),
    Codes(),
    Algorithm("MANUAL"),
    Loss("segment 1", "its color"),
    Source("nrrd"),
    Segment(1),
    Segmentation((LABELS,), (Segment(1),), identity((2, 3))),
    Volume(LABELS, identity((2, 3))),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda v: type(v).__name__)
def test_every_field_of_every_value_is_frozen(value):
    for each in fields(value):
        with pytest.raises(FrozenInstanceError):
            setattr(value, each.name, None)


@given(st.integers(0, 2**64 - 1))
def test_numpy_integers_are_python_integers_exactly(value):
    narrowest = np.min_scalar_type(value).type
    for given_value in (value, np.uint64(value), narrowest(value)):
        segment = Segment(given_value)
        assert (segment.label_value, segment.id) == (value, f"Segment_{value}")
        assert type(segment.label_value) is int


@given(st.floats() | st.integers(max_value=-1) | st.integers(min_value=2**64) | st.booleans())
def test_everything_else_is_refused(value):
    with pytest.raises(LabelValueError) as caught:
        Segment(value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("color", [(1.0, 2, 3), "abc", 5, (1, None, 3), (), (0, 0, 0, 256), (0, 0, 0, -1)])
def test_colors_are_3_or_4_bytes(color):
    with pytest.raises(UsageError, match=r"segment 7: color .* integers from 0 to 255"):
        Segment(7, color=color)


def test_a_color_is_a_tuple_of_python_integers():
    color = Segment(1, color=np.array([0, 128, 255], np.uint8)).color
    assert color == (0, 128, 255, 255)
    assert {type(c) for c in color} == {int}
    assert Segment(1, color=(9, 9, 9, 0)).color == (9, 9, 9, 0)


@pytest.mark.parametrize("layer", [-1, 0.0, 1.5, "0", None])
def test_layers_are_numbered_from_0(layer):
    with pytest.raises(UsageError, match=r"segment 7: layer .* must be an integer from 0"):
        Segment(7, layer=layer)


def test_a_numpy_layer_is_a_python_integer():
    assert type(Segment(1, layer=np.int64(2)).layer) is int


def test_a_changed_copy_is_judged_again():
    with pytest.raises(LabelValueError):
        replace(Segment(1), label_value=1.0)
    with pytest.raises(UsageError, match="shape"):
        replace(VALUES[-2], geometry=identity((3, 2)))


def test_segments_travel_between_processes():
    segment = Segment(
        2**63 + 5, "a", "b", (1, 2, 3, 4), 1, Codes(type=LIVER), tags=(("k", "v"),), properties={"n": 1}
    )
    assert pickle.loads(pickle.dumps(segment)) == segment
    assert copy.deepcopy(segment) == segment


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
def test_the_largest_label_of_each_dtype(dtype):
    layer, largest = LABELS.astype(dtype), int(np.iinfo(dtype).max)
    held = Segmentation((layer,), (Segment(largest),), identity((2, 3)))
    assert held.segments[0].label_value == largest
    with pytest.raises(LabelValueError, match=f"{largest + 1} (does not fit {dtype}|is outside)"):
        Segmentation((layer,), (Segment(largest + 1),), identity((2, 3)))


@pytest.mark.parametrize("dtype", ["float32", "complex64", "bool", "U1", "datetime64[s]", "object"])
def test_layers_that_are_no_integers(dtype):
    with pytest.raises(LabelValueError, match="layer 1 holds"):
        Segmentation((LABELS, np.empty((2, 3), dtype)), (), identity((2, 3)))


def test_the_second_layer_is_judged_by_its_own_dtype():
    layers = (LABELS, LABELS.astype(np.uint16))
    Segmentation(layers, (Segment(300, layer=1),), identity((2, 3)))
    with pytest.raises(LabelValueError, match="300 does not fit uint8"):
        Segmentation(layers[::-1], (Segment(300, layer=1),), identity((2, 3)))
    with pytest.raises(UsageError, match="layer 1 has shape"):
        Segmentation((LABELS, LABELS.T), (), identity((2, 3)))
