"""Labels, factors and grids drawn by hypothesis."""

import numpy as np
from hypothesis import strategies as st

DTYPES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")


@st.composite
def labels_and_factors(draw, largest=9):
    """An array of 2 to 5 axes with few distinct labels, so that ties are common, and factors."""
    ndim = draw(st.integers(2, 5))
    lead = max(0, ndim - 3)
    shape = [draw(st.integers(1, 2)) for _ in range(lead)]
    shape += [draw(st.integers(1, largest)) for _ in range(ndim - lead)]
    factors = [1] * lead + [draw(st.integers(1, 5)) for _ in range(ndim - lead)]
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    largest_label = int(np.iinfo(dtype).max)
    pool = [0, 1, 2, largest_label, largest_label - 1]
    if dtype.itemsize == 8:
        # Above 2^53 a float would round them to one another.
        pool += [2**53 + 1, 2**53, 2**53 + 2]
    if dtype == np.uint64:
        pool += [2**63 + 5, 2**63 + 4]
    chosen = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return rng.choice(np.array(chosen, dtype=dtype), size=shape), tuple(factors)
