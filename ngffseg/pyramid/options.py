"""Options of a pyramid, by name, and the kinds of their values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict, get_args

from ngffseg.keywords import SIZES, STEPS, TEXT, TRUTH, WHOLE, one_of
from ngffseg.pyramid.layout import Sizes
from ngffseg.pyramid.reduction import Method, Tie


class PyramidOptions(TypedDict, total=False):
    """Options of a pyramid, by name.

    method, tie, cascade
        See `Reduction`.
    factors
        Window per level: one int for all space axes, one int per space axis, or a list of such
        per level. By default 2 along each space axis, but axes whose voxels are at least twice
        as long as the shortest wait until the others have caught up.
    levels
        Number of levels, level 0 included. By default until a level is at most 64 along each
        space axis.
    chunks
        Voxels per chunk along each axis, or along the space axes. By default 64 along three, 512
        along two space axes.
    shards
        Voxels per shard, a whole number of chunks; None for chunks that are objects of their
        own. By default up to 4 chunks along each of three, 8 along each of two space axes.
    codec
        Compression of the chunks: ``zstd-LEVEL``, ``gzip-LEVEL``, ``blosc-LEVEL`` (zstd behind a
        bit shuffle: smallest for few large organs), ``small`` (zstd-19, slow) or ``none``. By
        default ``zstd-9`` for 8-bit labels, ``zstd-3`` for wider ones.
    """

    method: Method
    tie: Tie
    cascade: bool
    factors: int | Sequence[int] | Sequence[Sequence[int]] | None
    levels: int | None
    chunks: Sizes | None
    shards: Sizes | None
    codec: str | None


PYRAMID_KEYWORDS = {
    "method": one_of(get_args(Method)),
    "tie": one_of(get_args(Tie)),
    "cascade": TRUTH,
    "factors": STEPS.or_none(),
    "levels": WHOLE.or_none(),
    "chunks": SIZES.or_none(),
    "shards": SIZES.or_none(),
    "codec": TEXT.or_none(),
}
