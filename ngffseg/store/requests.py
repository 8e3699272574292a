"""`Requests`: requests to one address, some at a time, counted, made again, and their errors told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Generic, TypeVar, cast
from weakref import WeakKeyDictionary

from ngffseg.store.client import CONCURRENCY
from ngffseg.store.containment import checked_key, checked_path
from ngffseg.store.failed_request import Kind, failed_request_of
from ngffseg.store.failure import request_error
from ngffseg.store.meter import count_request
from ngffseg.store.retry import contact_with, retried

T = TypeVar("T")


class PerLoop(Generic[T]):
    """One of something for each event loop, as a function.

    Locks of asyncio belong to the loop in which they were first waited for. Stores are used in that of zarr, and in
    those of programs that run coroutines themselves.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: WeakKeyDictionary[asyncio.AbstractEventLoop, T] = WeakKeyDictionary()

    def __call__(self) -> T:
        """That of the running loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._made:
            self._made[loop] = self._make()
        return self._made[loop]


class Requests:
    """Makes requests to the server of one address, as a function.

    Parameters
    ----------
    url
        The address, for errors to tell.
    server
        Name of the server; all that talk to it know what is known of it.
    """

    def __init__(self, url: str, server: str) -> None:
        self.url = url
        self._contact, self._turns = contact_with(server), PerLoop(partial(asyncio.Semaphore, CONCURRENCY))

    async def __call__(
        self, verb: str, key: str, call: Callable[[], Awaitable[T]], expected: Sequence[Kind] = ()
    ) -> T | Kind:
        """Make a request until it is answered.

        Parameters
        ----------
        verb
            As which it is counted.
        key
            Of the object, for errors to tell.
        call
            Makes it once; it must be safe to make twice.
        expected
            Faults that are answers to the caller, not errors: they are returned.

        Raises
        ------
        StoreError
            If it fails for good.
        OutsideStoreError
            If the key is none within a store.
        """
        # What is listed or removed may be all objects below a prefix.
        (checked_key if verb in ("LIST", "DELETE") else checked_path)(key)
        async with self._turns():
            try:
                return await retried(call, self._contact, partial(count_request, verb))
            except Exception as error:
                failed = failed_request_of(error)
                if failed.kind in expected:
                    return failed.kind
                raise request_error(self.url, key, failed) from error


async def all_of(calls: Iterable[Awaitable[T]]) -> list[T]:
    """What several calls give, all at the same time.

    Raises
    ------
    Exception
        The first error, when all calls are done: none is left behind to fail unheard.
    """
    found = await asyncio.gather(*calls, return_exceptions=True)
    for answer in found:
        if isinstance(answer, BaseException):
            raise answer
    return cast("list[T]", found)
