"""Settings of S3, from the usual AWS environment: the one place that reads credentials.

Variables: ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_SESSION_TOKEN``, ``AWS_PROFILE``
(files under ``~/.aws``, and all that botocore looks into), ``AWS_REGION`` or ``AWS_DEFAULT_REGION``,
``AWS_ENDPOINT_URL_S3`` or ``AWS_ENDPOINT_URL``, ``AWS_NO_SIGN_REQUEST`` for public data.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

# How long keys are used before the source of them is asked again; it renews them in time.
KEYS_LAST = timedelta(minutes=4)


class NoCredentialsError(PermissionError):
    """There are no keys to sign requests with."""


@dataclass(frozen=True, slots=True)
class S3Settings:
    """How S3 is reached; no secret is in it, so that it may travel to workers.

    Parameters
    ----------
    endpoint
        URL of the server; None for AWS.
    region
        Name of the region.
    anonymous
        Whether requests are not signed.
    """

    endpoint: str | None
    region: str
    anonymous: bool


def s3_settings() -> S3Settings:
    """Settings of the environment as it is now, then of the profile, then the defaults of AWS."""
    env = os.environ
    endpoint = env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL")
    region = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION")
    if (endpoint is None or region is None) and _has_profile():
        profile = _session().get_scoped_config()
        endpoint = endpoint or profile.get("endpoint_url")
        region = region or profile.get("region")
    anonymous = env.get("AWS_NO_SIGN_REQUEST", "").lower() in ("1", "yes", "true", "on")
    return S3Settings(endpoint or None, region or "us-east-1", anonymous)


def has_keys() -> bool:
    """Return True if the environment itself holds keys, which come before all others."""
    return bool(os.environ.get("AWS_ACCESS_KEY_ID") and os.environ.get("AWS_SECRET_ACCESS_KEY"))


def s3_keys() -> dict[str, Any] | None:
    """Keys that sign requests, and until when they may be used; None where there are none."""
    env = os.environ
    if has_keys():
        keys = (env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], env.get("AWS_SESSION_TOKEN"))
    else:
        found = _session().get_credentials()
        if found is None:
            return None
        keys = found.get_frozen_credentials()[:3]
    return {
        "access_key_id": keys[0],
        "secret_access_key": keys[1],
        "token": keys[2] or None,
        "expires_at": datetime.now(UTC) + KEYS_LAST,
    }


def _has_profile() -> bool:
    config = os.environ.get("AWS_CONFIG_FILE", "~/.aws/config")
    return Path(config).expanduser().is_file()


def _session() -> Any:
    # Takes 0.1 s to import; most processes find all they need in the environment.
    import botocore.session

    return botocore.session.get_session()
