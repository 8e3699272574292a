"""Arrays of dask, which takes half a second to import: so it is imported where an array of it is made.

Whether something is an array of dask can be told without importing it: who has made one has imported it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import dask.array as da
    from typing_extensions import TypeIs


def is_dask_array(value: Any) -> TypeIs[da.Array]:
    """Return True if a value is an array of dask."""
    arrays = sys.modules.get("dask.array")
    return arrays is not None and isinstance(value, arrays.Array)


def computed(values: Sequence[Any]) -> Sequence[Any]:
    """Compute those of some values that dask has to compute, in this thread, and what they share once.

    A thread that calls this is a worker already, so there is no second pool under it.
    """
    base = sys.modules.get("dask.base")
    if base is None:
        return values
    found: Sequence[Any] = base.compute(*values, traverse=False, scheduler="synchronous")
    return found


def lazy_array(source: Any, chunks: Any) -> da.Array:
    """An array of dask, with a name of its own, of something that is read when it is sliced.

    Parameters
    ----------
    source
        Anything with ``shape``, ``dtype`` and slicing.
    chunks
        Chunks, as dask takes them.
    """
    import dask.array as da  # half a second, and few ask for such an array

    blank = np.empty((0,) * len(source.shape), source.dtype)
    array: da.Array = da.from_array(source, chunks=chunks, name=False, meta=blank)  # type: ignore[no-untyped-call]
    return array


def core_count() -> int:
    """Number of cores that this process may use, as dask counts them: limits of containers are kept."""
    from dask.system import CPU_COUNT  # a tenth of a second, and who only reads metadata has no use for it

    return CPU_COUNT
