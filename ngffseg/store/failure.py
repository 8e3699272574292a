"""What disk and network raise, as errors of ngffseg: one line that names cause, place and remedy."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

from ngffseg.errors import Hint, NgffsegError, StoreError, StoreNotFoundError, StorePermissionError
from ngffseg.store.failed_request import FailedRequest

KEYS = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
ANONYMOUS, ENDPOINT = Hint("anonymous"), Hint("endpoint")


def request_error(url: str, key: str, failed: FailedRequest) -> StoreError:
    """The error of a request that failed for good."""
    if not url.startswith("s3://"):
        return _plain_error(url, key, failed)
    bucket = url.removeprefix("s3://").partition("/")[0]
    server = "the server"
    match failed.kind:
        case "missing":
            return StoreNotFoundError(f"{url}: {key} is missing ({failed.text}): check the address")
        case "bucket":
            return StoreNotFoundError(
                f"{url}: there is no bucket {bucket!r} ({failed.text}): check the address, or {ENDPOINT}",
                hints=[ENDPOINT],
            )
        case "denied":
            return StorePermissionError(
                f"{url}: no permission ({failed.text}): set {KEYS} or AWS_PROFILE of someone who may read"
                f" (or write) bucket {bucket!r}, or {ANONYMOUS} where it is public",
                hints=[ANONYMOUS],
            )
        case "keys":
            return StorePermissionError(f"{url}: {_keys_message(failed.text)}", hints=[ANONYMOUS])
        case "expired":
            return StorePermissionError(
                f"{url}: the session has expired ({failed.text}): renew AWS_SESSION_TOKEN with its keys, or log"
                " in again (aws sso login)"
            )
        case "clock":
            return StorePermissionError(
                f"{url}: the clock of this machine is wrong ({failed.text}): set it, since requests are signed"
                " with the time"
            )
        case "region":
            return StoreError(
                f"{url}: bucket {bucket!r} is in another region ({failed.text}): set AWS_REGION"
            )
        case "unreachable":
            return StoreError(
                f"{url}: {server} cannot be reached ({failed.text}): check {ENDPOINT} and the network",
                hints=[ENDPOINT],
            )
        case "broken" | "busy":
            return StoreError(
                f"{url}: {server} kept failing ({failed.text}): nothing was published, run again later"
            )
    return StoreError(f"{url}: {server} refused {key} ({failed.text}): check the address")


def _keys_message(text: str) -> str:
    if text == "SignatureDoesNotMatch":
        return f"the secret key is wrong ({text}): set AWS_SECRET_ACCESS_KEY"
    if text == "InvalidAccessKeyId":
        return f"the server does not know the access key ({text}): set AWS_ACCESS_KEY_ID"
    return f"no credentials were found: set {KEYS}, or AWS_PROFILE, or {ANONYMOUS} for public data"


def _plain_error(url: str, key: str, failed: FailedRequest) -> StoreError:
    """The error of a request to a server that is not S3."""
    match failed.kind:
        case "missing" | "bucket":
            return StoreNotFoundError(f"{url}: {key} is missing ({failed.text}): check the address")
        case "denied" | "keys" | "expired" | "clock":
            return StorePermissionError(f"{url}: no permission ({failed.text}): check rights or credentials")
        case "unreachable" | "broken" | "busy":
            return StoreError(
                f"{url}: the server failed ({failed.text}): check the address and the network, then run again"
            )
    return StoreError(f"{url}: the server failed ({failed.text}): check the address and run again")


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
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreError(
                f"{url}: the disk is full: free space and run again; nothing was published"
            ) from error
        raise StoreError(f"{url}: {_reason(error)}: check the store and run again") from error


def _reason(error: OSError) -> str:
    return (error.strerror or str(error) or type(error).__name__).splitlines()[0]
