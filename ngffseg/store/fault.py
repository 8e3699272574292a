"""`Fault`: what a failed request means, whichever library made it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "missing", "bucket", "exists", "denied", "keys", "expired", "clock", "region", "unreachable", "busy", "other"
]  # fmt: skip

# Error codes of S3: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
CODES: dict[str, Kind] = {
    "NoSuchKey": "missing",
    "NoSuchBucket": "bucket",
    "InvalidBucketName": "bucket",
    "PreconditionFailed": "exists",
    # "If a conflicting operation occurs during the upload S3 returns a 409 ConditionalRequestConflict
    # response. On a 409 failure, retry the upload."
    "ConditionalRequestConflict": "busy",
    "OperationAborted": "busy",
    "AccessDenied": "denied",
    "AllAccessDisabled": "denied",
    "AccountProblem": "denied",
    "InvalidAccessKeyId": "keys",
    "SignatureDoesNotMatch": "keys",
    "InvalidSecurity": "keys",
    "ExpiredToken": "expired",
    "TokenRefreshRequired": "expired",
    "InvalidToken": "expired",
    "RequestTimeTooSkewed": "clock",
    "PermanentRedirect": "region",
    "AuthorizationHeaderMalformed": "region",
    "IllegalLocationConstraintException": "region",
    "SlowDown": "busy",
    "ServiceUnavailable": "busy",
    "InternalError": "busy",
    "RequestTimeout": "busy",
    "RequestTimeTooLarge": "busy",
    "TooManyRequests": "busy",
}
STATUS: dict[int, Kind] = {
    301: "region",
    401: "denied",
    403: "denied",
    404: "missing",
    408: "busy",
    410: "missing",
    412: "exists",
    429: "busy",
}
# Classes of errors of obstore, botocore, aiohttp and Python, by name: none of them need be there.
CLASSES: dict[str, Kind] = {
    "AlreadyExistsError": "exists",
    "PreconditionError": "exists",
    "FileExistsError": "exists",
    "NotFoundError": "missing",
    "FileNotFoundError": "missing",
    "PermissionDeniedError": "denied",
    "UnauthenticatedError": "denied",
    "PermissionError": "denied",
    "NoCredentialsError": "keys",
    "PartialCredentialsError": "keys",
    "CredentialRetrievalError": "keys",
    "ProfileNotFound": "keys",
    "TokenRetrievalError": "expired",
    "SSOTokenLoadError": "expired",
    "UnauthorizedSSOTokenError": "expired",
    "EndpointConnectionError": "unreachable",
    "ConnectTimeoutError": "unreachable",
    "ClientConnectorError": "unreachable",
    "ConnectionRefusedError": "unreachable",
    "ConnectionTimeoutError": "unreachable",
    "HTTPClientError": "busy",
    "ClientPayloadError": "busy",
    "ClientConnectionError": "busy",
    "ResponseParserError": "busy",
    "ConnectionError": "busy",
    "TimeoutError": "busy",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What a failed request means.

    Parameters
    ----------
    kind
        What is wrong.
    told
        What the server or the system said, in a few words.
    """

    kind: Kind
    told: str

    @property
    def transient(self) -> bool:
        """Whether the same request may succeed when it is made again."""
        return self.kind in ("unreachable", "busy")


def fault_of(error: BaseException) -> Fault:
    """What an error of obstore, s3fs, fsspec or aiohttp means."""
    chain = list(_chain(error))
    for cause in chain:
        code, status = _answer(cause)
        if code in CODES:
            return Fault(CODES[code], code)
        if status in STATUS:
            return Fault(STATUS[status], f"{code or 'status'} {status}".strip())
        if status >= 500:
            return Fault("busy", f"{code or 'status'} {status}".strip())
        if status >= 400:
            return Fault("other", f"{code or 'status'} {status}".strip())
    for cause in chain:
        for known in type(cause).__mro__:
            if known.__name__ in CLASSES:
                return Fault(CLASSES[known.__name__], _words(cause))
        # obstore has one class for all of these.
        if re.search(r"kind: (Connect|Unknown, source: .*dns)", str(cause)):
            return Fault("unreachable", "no connection")
        if re.search(r"HTTP error|kind: (Timeout|Interrupted|Decode|Request)", str(cause)):
            return Fault("busy", "the connection broke off")
        if re.search(r"credential|non-partial response", str(cause)):
            return Fault("keys" if "credential" in str(cause) else "other", _words(cause))
    return Fault("other", _words(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)


def _answer(error: BaseException) -> tuple[str, int]:
    """Code and status that the server answered with; empty and 0 where it did not."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):  # botocore
        code = str(response.get("Error", {}).get("Code", ""))
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return ("" if code.isdecimal() else code), int(status)
    status = getattr(error, "status", None)
    if isinstance(status, int):  # aiohttp
        return "", status
    text = str(error)  # obstore
    found = re.search(r"<Code>(\w+)</Code>", text)
    number = re.search(r"status code: (\d{3})", text)
    return (found[1] if found else ""), (int(number[1]) if number else 0)


def _words(error: BaseException) -> str:
    """The first line of an error, without what debuggers want."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
