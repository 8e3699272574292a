"""Many imports from one table, on one machine or a cluster; safe to run again."""

from ngffseg.batch.row import Row, read_rows
from ngffseg.batch.run import Result, run_batch, write_results

__all__ = ["Result", "Row", "read_rows", "run_batch", "write_results"]
