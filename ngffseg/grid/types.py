"""What boxes, indices and arrays of labels are to the type checker."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

# A part of an array: start and stop per axis.
Box = tuple[slice, ...]
# A place in a grid of chunks, blocks or voxels.
Index = tuple[int, ...]
# Labels of any of the eight integer dtypes.
Labels = npt.NDArray[Any]
# Numbers that are no image, such as the parts of the segment index.
Numbers = npt.NDArray[np.uint64]
