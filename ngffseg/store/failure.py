"""What disk and network raise, as errors of ngffseg."""

from __future__ import annotations

import contextlib
import errno
import sys
from collections.abc import Iterator

from ngffseg.errors import NgffsegError, StoreError, StoreNotFoundError, StorePermissionError


@contextlib.contextmanager
def store_errors(url: str) -> Iterator[None]:
    """Turn what disk and network raise into one clear line of the tree of errors."""
    try:
        yield
    except NgffsegError:
        raise
    except FileNotFoundError as error:
        raise StoreNotFoundError(f"{url}: not found ({_reason(error)}): check the address") from error
    except PermissionError as error:
        raise StorePermissionError(
            f"{url}: no permission ({_reason(error)}): check rights or credentials"
        ) from error
    except _server_errors() as error:
        raise StoreError(f"{url}: the server failed ({error}): check the address and run again") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreError(
                f"{url}: the disk is full: free space and run again; nothing was published"
            ) from error
        raise StoreError(f"{url}: {_reason(error)}: check the store and run again") from error


def _server_errors() -> tuple[type[Exception], ...]:
    """Errors of HTTP, if it is in use: importing aiohttp costs 0.15 s, which local stores need not pay."""
    module = sys.modules.get("aiohttp")
    return (module.ClientError,) if module is not None else ()


def _reason(error: OSError) -> str:
    return (error.strerror or str(error) or type(error).__name__).splitlines()[0]
