"""The definitions, as plainly as they can be said: one window at a time, in Python integers."""

from collections import Counter

import numpy as np


def mode(labels, factors, tie="balanced", sparse=False):
    """Mode of each window; ``tie`` as notes on ties define it, indices global at the level."""
    shape = tuple(-(-n // f) for n, f in zip(labels.shape, factors, strict=True))
    out = np.empty(shape, labels.dtype)
    for index in np.ndindex(*shape):
        window = labels[tuple(slice(i * f, (i + 1) * f) for i, f in zip(index, factors, strict=True))]
        counts = Counter(window.ravel().tolist())
        if sparse and len(counts) > 1:
            counts.pop(0, None)
        most = max(counts.values())
        tied = [value for value, count in counts.items() if count == most]
        rows = index[-3:-1] if labels.ndim >= 3 else index[:-1]
        largest = tie == "balanced" and sum(i >> 1 for i in rows) % 2 == 0
        out[index] = max(tied) if largest else min(tied)
    return out


def nearest(labels, factors):
    """First label of each window."""
    return labels[tuple(slice(None, None, f) for f in factors)]
