"""Compiled kernels for windows of any size, and for ``sparse``; the same law as `kernels`."""

import numpy as np

from ngffseg.pyramid.compilation import compiled, inlined
from ngffseg.pyramid.kernels import parity_mask


@inlined
def _count(labels, low, high, values, counts):  # type: ignore[no-untyped-def]
    """Distinct labels of a window and how often each occurs; returns their number."""
    found = 0
    last = 0
    for k in range(low[0], high[0]):
        for j in range(low[1], high[1]):
            for i in range(low[2], high[2]):
                value = labels[k, j, i]
                if found and values[last] == value:
                    counts[last] += 1
                    continue
                for n in range(found):
                    if values[n] == value:
                        counts[n] += 1
                        last = n
                        break
                else:
                    values[found] = value
                    counts[found] = 1
                    last = found
                    found += 1
    return found


@inlined
def _best(found, values, counts, mask, sparse):  # type: ignore[no-untyped-def]
    """The label of a window; with ``sparse``, 0 wins only where nothing else is in it."""
    best = values[0]
    count = counts[0]
    for n in range(1, found):
        value = values[n]
        if sparse and best == 0:
            wins = True
        elif sparse and value == 0:
            wins = False
        else:
            tied = counts[n] == count and (value ^ mask) < (best ^ mask)
            wins = counts[n] > count or tied
        if wins:
            best = value
            count = counts[n]
    return best


@compiled
def mode_of_windows(labels, out, at, start, balanced, masks, factors, sparse):  # type: ignore[no-untyped-def]
    """Mode of windows of any size; one at the upper edge counts the labels that it has.

    Counters are 64-bit, so no window can overflow them.
    """
    fz, fy, fx = factors
    values = np.empty(fz * fy * fx, labels.dtype)
    counts = np.empty(fz * fy * fx, np.int64)
    nz, ny, nx = labels.shape
    for z in range(-(-nz // fz)):
        for y in range(-(-ny // fy)):
            mask = parity_mask(start[0] + at[0] + z, start[1] + at[1] + y, balanced, masks)
            for x in range(-(-nx // fx)):
                low = (z * fz, y * fy, x * fx)
                high = (min(low[0] + fz, nz), min(low[1] + fy, ny), min(low[2] + fx, nx))
                found = _count(labels, low, high, values, counts)
                out[at[0] + z, at[1] + y, at[2] + x] = _best(found, values, counts, mask, sparse)


@compiled
def foreground_of_windows(labels, out, at, start, balanced, masks, factors):  # type: ignore[no-untyped-def]
    """Where the mode of whole windows is background, the mode of their foreground, if they have any.

    Behind a kernel for the mode, this makes ``sparse`` of it: only few windows are looked at again.
    """
    fz, fy, fx = factors
    values = np.empty(fz * fy * fx, labels.dtype)
    counts = np.empty(fz * fy * fx, np.int64)
    nz, ny, nx = labels.shape
    for z in range(nz // fz):
        for y in range(ny // fy):
            mask = parity_mask(start[0] + at[0] + z, start[1] + at[1] + y, balanced, masks)
            row = out[at[0] + z, at[1] + y][at[2] : at[2] + nx // fx]
            for x in range(nx // fx):
                if row[x] != 0:
                    continue
                seen = labels[z * fz, y * fy, x * fx]
                for k in range(z * fz, z * fz + fz):
                    for j in range(y * fy, y * fy + fy):
                        for i in range(x * fx, x * fx + fx):
                            seen |= labels[k, j, i]
                if seen != 0:
                    low = (z * fz, y * fy, x * fx)
                    high = (low[0] + fz, low[1] + fy, low[2] + fx)
                    found = _count(labels, low, high, values, counts)
                    row[x] = _best(found, values, counts, mask, True)
