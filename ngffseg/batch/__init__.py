"""Many imports from one table, on one machine or a cluster; safe to run again."""

from ngffseg.batch.row import BatchRow, read_rows
from ngffseg.batch.run import Result, run_batch, write_results

__all__ = ["BatchRow", "Result", "read_rows", "run_batch", "write_results"]
