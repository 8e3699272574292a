"""`S3Server`: an S3 server under test, whichever it is, and clients of it."""

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.config
import pytest

KINDS = ("ceph", "moto")
KEY, SECRET = "ngffsegtestkey", "ngffsegtestsecret"


@dataclass(frozen=True)
class S3Server:
    """Where the server is; ``stop`` and ``start`` interrupt it, its objects stay."""

    endpoint: str
    stop: Callable[[], None]
    start: Callable[[], None]

    def client(self, endpoint: str | None = None) -> Any:
        """A client of boto3, which is not what the code under test uses."""
        config = botocore.config.Config(
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            # Tests of faults stop the server that others use.
            retries={"total_max_attempts": 10, "mode": "standard"},
            s3={"addressing_style": "path"},
        )
        return boto3.client(
            "s3",
            endpoint_url=endpoint or self.endpoint,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
            config=config,
        )


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def server_kind() -> str:
    """Which server is used; moto is no real server, so it is never chosen silently."""
    kind = os.environ.get("NGFFSEG_TEST_S3", "ceph")
    if kind not in KINDS:
        raise pytest.UsageError(f"NGFFSEG_TEST_S3={kind}: use one of {', '.join(KINDS)}")
    return kind
