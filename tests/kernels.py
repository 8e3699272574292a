"""Compile all kernels once, before several processes need them at the same time: ``python -m tests.kernels``."""

import tempfile

import numpy as np

from ngffseg import write_labels
from ngffseg.pyramid import Reduction, downsample


def main():
    """Use each kernel with labels of each size."""
    for dtype in ("uint8", "uint16", "uint32", "uint64"):
        labels = np.arange(6**3, dtype=dtype).reshape(6, 6, 6)
        for factors in ((2, 2, 2), (1, 2, 2), (3, 3, 3)):
            downsample(labels, factors, Reduction("sparse"))
        with tempfile.TemporaryDirectory() as folder:
            write_labels(f"{folder}/a.zarr", labels, name="a", chunks=4)


if __name__ == "__main__":
    main()
