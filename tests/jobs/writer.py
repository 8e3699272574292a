"""A write that can be killed, slow enough to be hit."""

import json
import sys

import dask.array as da

from ngffseg.cli.main import exit_code
from ngffseg.errors import NgffsegError
from ngffseg.geometry import identity
from ngffseg.labels import write_segmentation
from ngffseg.labels.jobs import checkpoints
from ngffseg.model import Segmentation
from ngffseg.store import lease
from tests.jobs.volume import slowly


def main(source, store, options):
    """Write, with the clocks of ledger and lease going faster than for people, so that more happens."""
    checkpoints.PAUSE, lease.BEAT, lease.LEASE = 0.05, 0.3, 2.0
    labels = da.from_zarr(source).map_blocks(slowly, dtype="uint32")
    written = Segmentation((labels,), (), identity(labels.shape))

    def say(*done):
        print(json.dumps(done), flush=True)

    try:
        write_segmentation(store, written, name="a", progress=say, **options)
    except NgffsegError as error:
        print(error, file=sys.stderr)
        sys.exit(exit_code(error))
