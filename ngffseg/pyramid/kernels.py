"""Compiled kernels: one window of labels in, one label out, exactly.

Law of this file: no Python object, no allocation per voxel, no float. The rows for windows of
2 x 2 and 2 x 2 x 2 are free of branches, with counters in the dtype of the labels and unsigned
indices: that is what lets LLVM vectorise them.

A tie goes to the smallest label. Where it must go to the largest, every label is complemented on
the way in and out (``a ^ mask``, mask all ones), which reverses the order of integers: one kernel
serves both rules at the same speed. Signed labels are seen as unsigned ones (`compilation.as_input`):
with their highest bit changed by the mask, too, they are in the same order.
"""

import numpy as np

from ngffseg.pyramid.compilation import compiled, inlined


@compiled
def is_background(labels):  # type: ignore[no-untyped-def]
    """Return True if all labels of a flat array are 0; stops where one is not."""
    step = 64
    whole = labels.size // step * step
    for first in range(0, whole, step):
        seen = labels[first]
        for i in range(first + 1, first + step):
            seen |= labels[i]
        if seen != 0:
            return False
    for i in range(whole, labels.size):  # noqa: SIM110
        if labels[i] != 0:
            return False
    return True


@inlined
def _row_of_8(r0, r1, r2, r3, out, mask):  # type: ignore[no-untyped-def]
    """Mode of windows of 2 x 2 x 2: four rows of labels give one row half as long."""
    T = out.dtype.type  # noqa: N806
    for x in range(out.shape[0]):
        i = np.uint64(x) * np.uint64(2)
        j = i + np.uint64(1)
        a0 = T(r0[i] ^ mask)
        a1 = T(r0[j] ^ mask)
        a2 = T(r1[i] ^ mask)
        a3 = T(r1[j] ^ mask)
        a4 = T(r2[i] ^ mask)
        a5 = T(r2[j] ^ mask)
        a6 = T(r3[i] ^ mask)
        a7 = T(r3[j] ^ mask)
        # c_n: how often a_n comes again behind itself; the first one of a label counts all.
        c0 = T(T(T(a0 == a1) + T(a0 == a2)) + T(T(a0 == a3) + T(a0 == a4)))
        c0 = T(c0 + T(T(a0 == a5) + T(T(a0 == a6) + T(a0 == a7))))
        c1 = T(T(T(a1 == a2) + T(a1 == a3)) + T(T(a1 == a4) + T(T(a1 == a5) + T(T(a1 == a6) + T(a1 == a7)))))
        c2 = T(T(T(a2 == a3) + T(a2 == a4)) + T(T(a2 == a5) + T(T(a2 == a6) + T(a2 == a7))))
        c3 = T(T(T(a3 == a4) + T(a3 == a5)) + T(T(a3 == a6) + T(a3 == a7)))
        c4 = T(T(a4 == a5) + T(T(a4 == a6) + T(a4 == a7)))
        c5 = T(T(a5 == a6) + T(a5 == a7))
        c6 = T(a6 == a7)
        best, count = a0, c0
        t = (c1 > count) | ((c1 == count) & (a1 < best))
        best, count = a1 if t else best, c1 if t else count
        t = (c2 > count) | ((c2 == count) & (a2 < best))
        best, count = a2 if t else best, c2 if t else count
        t = (c3 > count) | ((c3 == count) & (a3 < best))
        best, count = a3 if t else best, c3 if t else count
        t = (c4 > count) | ((c4 == count) & (a4 < best))
        best, count = a4 if t else best, c4 if t else count
        t = (c5 > count) | ((c5 == count) & (a5 < best))
        best, count = a5 if t else best, c5 if t else count
        t = (c6 > count) | ((c6 == count) & (a6 < best))
        best, count = a6 if t else best, c6 if t else count
        t = (count == T(0)) & (a7 < best)
        best = a7 if t else best
        out[np.uint64(x)] = T(best ^ mask)


@inlined
def _row_of_4(r0, r1, out, mask):  # type: ignore[no-untyped-def]
    """Mode of windows of 2 x 2: two rows of labels give one row half as long."""
    T = out.dtype.type  # noqa: N806
    for x in range(out.shape[0]):
        i = np.uint64(x) * np.uint64(2)
        j = i + np.uint64(1)
        a0 = T(r0[i] ^ mask)
        a1 = T(r0[j] ^ mask)
        a2 = T(r1[i] ^ mask)
        a3 = T(r1[j] ^ mask)
        c0 = T(T(a0 == a1) + T(T(a0 == a2) + T(a0 == a3)))
        c1 = T(T(a1 == a2) + T(a1 == a3))
        c2 = T(a2 == a3)
        best, count = a0, c0
        t = (c1 > count) | ((c1 == count) & (a1 < best))
        best, count = a1 if t else best, c1 if t else count
        t = (c2 > count) | ((c2 == count) & (a2 < best))
        best, count = a2 if t else best, c2 if t else count
        t = (count == T(0)) & (a3 < best)
        best = a3 if t else best
        out[np.uint64(x)] = T(best ^ mask)


@inlined
def parity_mask(z, y, balanced, masks):  # type: ignore[no-untyped-def]
    """The second mask where the largest label wins a tie in row (z, y) of the level, else the first."""
    return masks[1] if balanced and ((z >> 1) + (y >> 1)) % 2 == 0 else masks[0]


@compiled
def mode_2x2x2(labels, out, at, start, balanced, masks):  # type: ignore[no-untyped-def]
    """Mode of whole windows of 2 x 2 x 2 of ``labels``, written into ``out`` from index ``at``.

    ``start`` is the index of ``out[0, 0, 0]`` in its level; ``masks`` are those under which the smallest label
    wins a tie, and the largest.
    """
    nz, ny, nx = labels.shape[0] // 2, labels.shape[1] // 2, labels.shape[2] // 2
    for z in range(nz):
        oz = at[0] + z
        for y in range(ny):
            oy = at[1] + y
            row = out[oz, oy][at[2] : at[2] + nx]
            mask = parity_mask(start[0] + oz, start[1] + oy, balanced, masks)
            _row_of_8(
                labels[2 * z, 2 * y], labels[2 * z, 2 * y + 1],
                labels[2 * z + 1, 2 * y], labels[2 * z + 1, 2 * y + 1],
                row, mask,
            )  # fmt: skip


@compiled
def mode_1x2x2(labels, out, at, start, balanced, masks):  # type: ignore[no-untyped-def]
    """Mode of whole windows of 1 x 2 x 2, as `mode_2x2x2`."""
    nz, ny, nx = labels.shape[0], labels.shape[1] // 2, labels.shape[2] // 2
    for z in range(nz):
        oz = at[0] + z
        for y in range(ny):
            oy = at[1] + y
            row = out[oz, oy][at[2] : at[2] + nx]
            mask = parity_mask(start[0] + oz, start[1] + oy, balanced, masks)
            _row_of_4(labels[z, 2 * y], labels[z, 2 * y + 1], row, mask)
