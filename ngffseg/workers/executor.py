"""`Executor`: whoever can do many tasks side by side."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any, Protocol, TypeVar

Task_contra = TypeVar("Task_contra", contravariant=True)
Result_co = TypeVar("Result_co", covariant=True)
T = TypeVar("T")
R = TypeVar("R")


class Work(Protocol[Task_contra, Result_co]):
    """What is done with each task; it travels to other processes with all that it holds."""

    def __call__(self, task: Task_contra, /) -> Result_co:
        """Do a task; to do it twice must be safe."""

    def name(self, task: Task_contra, /) -> str:
        """What a task is, for errors to tell."""

    def stop(self) -> None:
        """Have tasks that are being done in this process end soon, by an exception."""


class HandedWork(Work[Task_contra, Result_co], Protocol[Task_contra, Result_co]):
    """Work of which each task may be handed what was computed for it."""

    def __call__(self, task: Task_contra, /, *handed: Any) -> Result_co:
        """Do a task with what was computed for it."""


class Executor(Protocol):
    """Threads or processes that do tasks."""

    @property
    def elsewhere(self) -> bool:
        """Return True if tasks are done in other processes, so that work and tasks have to travel."""

    def run(self, work: Work[T, R], tasks: Iterable[T]) -> Generator[tuple[T, R], None, None]:
        """Do all tasks, and give each with its result as it is done.

        Tasks are taken as there is room for them, never many ahead. When the iterator is closed, or
        a task fails, no further one begins, and those that have begun are waited for.

        Raises
        ------
        Exception
            What a task raised.
        """

    def each(self, call: Any, *arguments: Any) -> dict[str, Any]:
        """What a call gives in each other process, or the exception that it raises, by address."""
