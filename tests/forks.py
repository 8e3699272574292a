"""Real processes that begin with ngffseg imported: of many short ones, the import is otherwise most of the cost.

They are forked from a process that has only imported, so they share no state and no threads with the test.
"""

import multiprocessing
import os

CONTEXT = multiprocessing.get_context("forkserver")
# Libraries by their names: those of ngffseg are imported where they are used.
CONTEXT.set_forkserver_preload(["dask.array", "numba", "ngffseg.cli.import_verb", "ngffseg.cli.pyramid_verb"])


def start(target, *arguments, out=None, error=None, **environment):
    """Start a process that calls a function, its output in files where they are named."""
    process = CONTEXT.Process(
        target=_begin, args=(target, arguments, {**os.environ, **environment}, out, error)
    )
    process.start()
    return process


def _begin(target, arguments, environment, out, error):
    # The process that it is forked from keeps the environment of its own start.
    os.environ.clear()
    os.environ.update(environment)
    for number, path in ((1, out), (2, error)):
        if path is not None:
            os.dup2(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT), number)
    target(*arguments)
