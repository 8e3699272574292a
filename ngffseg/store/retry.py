"""Requests that are made again: exponential backoff with full jitter, and an end to patience."""

from __future__ import annotations

import asyncio
import functools
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ngffseg.store.failed_request import failed_request_of

T = TypeVar("T")
# Seconds. A server that has answered before may come back; one that never did has a wrong address.
PATIENCE = 40.0
FIRST_PATIENCE = 4.0
FIRST_DELAY, LONGEST_DELAY = 0.1, 5.0


# For so long nobody waits for a server that was given up.
FORGOTTEN = 60.0


class Contact:
    """What is known of a server: whether it ever answered, and when it was given up."""

    def __init__(self) -> None:
        self.made, self.lost = False, -FORGOTTEN

    def patience(self, *, answered: bool) -> float:
        """Seconds for which a request is made again and again."""
        if time.monotonic() < self.lost + FORGOTTEN:
            return 0.0  # what is left to do, such as cleaning up, must not wait all over again
        return PATIENCE if answered or self.made else FIRST_PATIENCE


@functools.lru_cache(maxsize=256)
def contact_with(server: str) -> Contact:  # noqa: ARG001
    """What is known in this process of a server, by its name."""
    return Contact()


async def retried(call: Callable[[], Awaitable[T]], contact: Contact, count: Callable[[], None]) -> T:
    """Make a request until it succeeds, cannot succeed, or patience is at its end.

    Parameters
    ----------
    call
        Makes the request; it must be safe to make twice.
    contact
        What is known of the server; kept up to date.
    count
        Called for each request that is made.

    Raises
    ------
    Exception
        The last error, as it came.
    """
    start, attempt = time.monotonic(), 0
    while True:
        count()
        try:
            answer = await call()
        except Exception as error:
            failed = failed_request_of(error)
            if not failed.transient:
                contact.made, contact.lost = True, -FORGOTTEN
                raise
            # Full jitter: clients that failed together do not come back together.
            delay = random.uniform(0, min(LONGEST_DELAY, FIRST_DELAY * 2**attempt))
            now, end = time.monotonic(), start + contact.patience(answered=failed.kind == "busy")
            if now >= end:
                contact.lost = now
                raise
            attempt += 1
            await asyncio.sleep(min(delay, end - now))  # the last time when patience ends, not before
        else:
            contact.made, contact.lost = True, -FORGOTTEN
            return answer
