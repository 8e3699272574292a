"""Many imports from one table, on one machine or a cluster; safe to run again."""

from typing import TYPE_CHECKING

from ngffseg.face import lazy_face

if TYPE_CHECKING:
    from ngffseg.batch.row import BatchRow, read_rows
    from ngffseg.batch.run import Result, as_row, run_batch, write_results
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "row": "BatchRow read_rows",
            "run": "Result as_row run_batch write_results",
        },
    )

__all__ = ["BatchRow", "Result", "as_row", "read_rows", "run_batch", "write_results"]
