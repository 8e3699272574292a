"""Segments and grids drawn by hypothesis."""

import numpy as np
from hypothesis import strategies as st

from ngffseg.geometry import Geometry
from ngffseg.model import Algorithm, Code, CodedRegion, Codes, Segment

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
some_text = text.filter(bool)
# Names of one folder in every kind of store.
names = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\"), min_size=1, max_size=12
).filter(lambda name: name not in (".", ".."))
codes = st.builds(Code, some_text, some_text, some_text, text)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)
segments = st.builds(
    Segment,
    label_value=st.integers(0, 2**64 - 1),
    id=some_text,
    name=text,
    color=st.none() | st.tuples(*[st.integers(0, 255)] * 4),
    layer=st.integers(0, 3),
    codes=st.none()
    | st.builds(
        Codes, st.none() | codes, st.none() | codes, st.lists(codes, max_size=2).map(tuple),
        st.lists(st.builds(CodedRegion, codes, st.lists(codes, max_size=2).map(tuple)), max_size=2).map(tuple),
        text, text,
    ),
    status=text,
    algorithm=st.none() | st.builds(Algorithm, some_text, text),
    tags=st.lists(st.tuples(text, text), max_size=3).map(tuple),
    properties=st.dictionaries(text, json_values, max_size=3),
)  # fmt: skip

numbers = st.floats(-1e6, 1e6, allow_subnormal=False)


@st.composite
def grids(draw):
    """Grids of 2 to 5 axes whose affine needs all bits of its float64."""
    axes = draw(
        st.sampled_from(
            [
                ("y", "x"),
                ("z", "y", "x"),
                ("t", "z", "y", "x"),
                ("c", "z", "y", "x"),
                ("t", "c", "z", "y", "x"),
            ]
        )
    )
    affine = np.eye(4)
    affine[:3] = np.array(draw(st.lists(numbers, min_size=12, max_size=12))).reshape(3, 4)
    affine[:3, :3] += np.diag([3e6, 4e6, -5e6])  # dominant, so never singular
    shape = tuple(draw(st.integers(1, 10**6)) for _ in axes)
    units = tuple(draw(st.sampled_from([None, "millimeter", "micrometer"])) for _ in axes)
    frame, uid = draw(st.sampled_from(["patient", None])), draw(st.sampled_from(["", "1.2.3"]))
    return Geometry(shape, affine, axes, units, frame, uid, draw(st.floats(0.001, 100)))
