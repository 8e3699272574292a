"""`FailedRequest`: what a failed request means, whichever library made it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "missing", "bucket", "exists", "range", "denied", "keys", "expired", "clock", "region", "unreachable", "broken", "busy", "other"
]  # fmt: skip

# Error codes of S3: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
CODES: dict[str, Kind] = {
    "NoSuchKey": "missing",
    "NoSuchBucket": "bucket",
    "InvalidBucketName": "bucket",
    "PreconditionFailed": "exists",
    "InvalidRange": "range",
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
    416: "range",
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
    "HTTPClientError": "broken",
    "ClientPayloadError": "broken",
    "ClientConnectionError": "broken",
    "ResponseParserError": "broken",
    "ConnectionError": "broken",
    "TimeoutError": "broken",
}
# What obstore says, which tells kinds apart only so.
TEXTS: tuple[tuple[str, Kind, str], ...] = (
    # Servers answer with all of an object of 0 bytes where a part of it is asked for.
    ("non-partial response when range requested", "range", "no bytes"),
    (r"kind: Connect|Error\(\s*Connect", "unreachable", "no connection"),
    ("redirect without LOCATION", "region", "redirect"),
    ("HTTP error|kind: (Timeout|Interrupted|Decode|Request)", "broken", "the connection broke off"),
    ("credential", "keys", "no credentials"),
)


@dataclass(frozen=True, slots=True)
class FailedRequest:
    """What a failed request means.

    Parameters
    ----------
    kind
        What is wrong.
    text
        What the server or the system said, in a few words.
    """

    kind: Kind
    text: str

    @property
    def transient(self) -> bool:
        """Return True if the same request may succeed when it is made again."""
        return self.kind in ("unreachable", "broken", "busy")


def failed_request_of(error: BaseException) -> FailedRequest:
    """What an error of obstore, s3fs, fsspec or aiohttp means."""
    chain = list(_chain(error))
    found = (_answered(cause) for cause in chain)
    return next((failed for failed in found if failed is not None), None) or _unanswered(error, chain)


def _answered(error: BaseException) -> FailedRequest | None:
    """What the answer of the server means; None where there was none."""
    code, status = _answer(error)
    text = f"{code or 'status'} {status}".strip()
    if code in CODES:
        return FailedRequest(CODES[code], code)
    if code and status == 403:
        return FailedRequest("other", text)  # such as what was moved to an archive, or a quota
    if status in STATUS:
        return FailedRequest(STATUS[status], text)
    if status >= 400:
        return FailedRequest("busy" if status >= 500 else "other", text)
    return None


def _unanswered(error: BaseException, chain: list[BaseException]) -> FailedRequest:
    """What went wrong where no server has answered."""
    for cause in chain:
        for known in type(cause).__mro__:
            if known.__name__ in CLASSES:
                return FailedRequest(CLASSES[known.__name__], _words(cause))
        # obstore has one class for all of these.
        for pattern, kind, text in TEXTS:
            if re.search(pattern, str(cause)):
                return FailedRequest(kind, text)
    return FailedRequest("other", _words(error))


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
