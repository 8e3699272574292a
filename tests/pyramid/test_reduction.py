"""One level from another: equal to brute force and to tensorstore, exactly."""

import gzip

import numpy as np
import pytest
import tensorstore as ts
from hypothesis import given
from hypothesis import strategies as st

from ngffseg.errors import UsageError
from ngffseg.pyramid import Reduction, downsample
from tests.examples import examples
from tests.pyramid import brute
from tests.pyramid.strategies import DTYPES, labels_and_factors


@examples(50)
@given(labels_and_factors(), st.sampled_from(["balanced", "smallest"]), st.booleans())
def test_mode_equals_brute_force(drawn, tie, sparse):
    labels, factors = drawn
    method = "sparse" if sparse else "mode"
    got = downsample(labels, factors, Reduction(method, tie))
    assert got.dtype == labels.dtype
    np.testing.assert_array_equal(got, brute.mode(labels, factors, tie, sparse))


@examples(15)
@given(labels_and_factors())
def test_nearest_equals_brute_force(drawn):
    labels, factors = drawn
    got = downsample(labels, factors, Reduction("nearest"))
    np.testing.assert_array_equal(got, brute.nearest(labels, factors))


@examples(30)
@given(labels_and_factors())
def test_smallest_equals_tensorstore(drawn):
    labels, factors = drawn
    view = ts.downsample(ts.array(labels), downsample_factors=list(factors), method="mode")
    np.testing.assert_array_equal(
        downsample(labels, factors, Reduction("mode", "smallest")), view.read().result()
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("factors", [(2, 2, 2), (1, 2, 2), (2, 2, 1), (3, 3, 3), (16, 16, 16)])
@pytest.mark.parametrize("tie", ["balanced", "smallest"])
def test_every_kernel_with_every_dtype(dtype, factors, tie):
    limits = np.iinfo(dtype)
    pool = np.array([limits.min, 0, 1, 2, limits.max], dtype=dtype)
    labels = np.random.default_rng(5).choice(pool, size=(19, 21, 35))
    got = downsample(labels, factors, Reduction("mode", tie))
    np.testing.assert_array_equal(got, brute.mode(labels, factors, tie))


def test_counters_do_not_wrap_in_the_largest_window():
    # 16^3 votes: 3,000 for 5 against 1,096 for 9; a counter of 8 bits would elect 9.
    labels = np.full(16**3, 5, np.uint8)
    labels[:1096] = 9
    got = downsample(labels.reshape(16, 16, 16), (16, 16, 16))
    assert got.tolist() == [[[5]]]


def test_a_window_at_the_edge_counts_only_what_it_has():
    labels = np.array([[1, 1, 7], [1, 1, 7], [2, 2, 9]], np.uint16)
    got = downsample(labels, (2, 2), Reduction("mode", "smallest"))
    assert got.tolist() == [[1, 7], [2, 9]]


@pytest.mark.parametrize("tie", ["balanced", "smallest"])
def test_pieces_equal_the_whole(tie):
    labels = np.random.default_rng(3).integers(0, 3, (24, 32, 20)).astype(np.uint32)
    whole = downsample(labels, (2, 2, 2), Reduction("mode", tie))
    piece = downsample(labels[8:, 12:, 4:], (2, 2, 2), Reduction("mode", tie), start=(4, 6, 2))
    np.testing.assert_array_equal(piece, whole[4:, 6:, 2:])


def test_a_thin_line_survives_only_sparse():
    labels = np.zeros((8, 8, 8), np.uint8)
    labels[:, 3, 3] = 7
    assert not downsample(labels, (2, 2, 2), Reduction("mode", "smallest")).any()
    assert (downsample(labels, (2, 2, 2), Reduction("sparse"))[:, 1, 1] == 7).all()


def test_smallest_equals_tensorstore_on_a_real_connectome(shared_data):
    import crackle

    packed = gzip.decompress((shared_data / "volumes" / "connectomics.npy.ckl.gz").read_bytes())
    whole = np.ascontiguousarray(crackle.decompress(packed).T)
    assert whole.shape == (512, 512, 512)
    level = whole
    for _ in range(4):
        view = ts.downsample(ts.array(level), downsample_factors=[2, 2, 2], method="mode")
        level = downsample(level, (2, 2, 2), Reduction("mode", "smallest"))
        np.testing.assert_array_equal(level, view.read().result())
    odd = np.ascontiguousarray(whole[:129, :255])
    for factors in [(1, 2, 2), (3, 2, 4)]:
        view = ts.downsample(ts.array(odd), downsample_factors=list(factors), method="mode")
        got = downsample(odd, factors, Reduction("mode", "smallest"))
        np.testing.assert_array_equal(got, view.read().result())


@pytest.mark.parametrize(("method", "tie"), [("max", "balanced"), ("mode", "largest")])
def test_unknown_words_are_refused(method, tie):
    with pytest.raises(UsageError, match="use one of"):
        Reduction(method, tie)


def test_factors_of_other_axes_are_refused():
    with pytest.raises(UsageError, match="not space"):
        downsample(np.zeros((2, 4, 4, 4), np.uint8), (2, 2, 2, 2))
