"""Servers that fail, and settings that are wrong: the work is done all the same, or one line says why not."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest

from ngffseg import open_labels, write_labels
from ngffseg.errors import StoreError, StoreNotFoundError, StorePermissionError
from ngffseg.labels import known_segments, rebuild_levels
from ngffseg.napari_plugin.table import features_of
from ngffseg.store import create_object, open_store, retry
from ngffseg.viewer.properties import segment_properties
from tests.labels.stores import digest, faults
from tests.storage.ceph import Ceph
from tests.storage.proxy import Faults
from tests.storage.server import SECRET, free_ports, server_kind
from tests.storage.test_labels import fetched

LABELS = np.random.default_rng(0).integers(0, 9, (64, 64, 64)).astype(np.uint32)
CLIENTS = ("obstore", "s3fs")
needs_keys = pytest.mark.skipif(server_kind() == "moto", reason="moto does not look at keys")


@pytest.fixture(params=CLIENTS, autouse=True)
def client(request, monkeypatch):
    if request.param == "s3fs":
        monkeypatch.setattr("ngffseg.store.url.has_obstore", lambda: False)
    return request.param


class Pauses:
    """How long each request waited to be made again, and how many pauses there were when a server was given up.

    Seconds of pauses, and not of the clock: a busy machine makes requests as slow as it likes.
    """

    def __init__(self):
        self.count, self.seconds, self.given_up = 0, Counter(), []

    async def sleep(self, delay):
        self.count += 1
        self.seconds[asyncio.current_task()] += delay
        await asyncio.sleep(delay)

    def assert_soon(self, patience):
        """No request waited longer, and none began to wait once another one had given up."""
        assert max(self.seconds.values(), default=0) <= patience + 1e-6
        assert set(self.given_up) <= {self.count}


PAUSES = Pauses()


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    PAUSES.__init__()

    def note(contact, name, value):
        if name == "lost" and value > 0:
            PAUSES.given_up.append(PAUSES.count)
        object.__setattr__(contact, name, value)

    monkeypatch.setattr(retry, "asyncio", SimpleNamespace(sleep=PAUSES.sleep))
    monkeypatch.setattr(retry.Contact, "__setattr__", note)
    return PAUSES


def said(call, kind, *words):
    """The one line of an error, which comes soon, names all the words, and no secret."""
    with pytest.raises(kind) as raised:
        call()
    PAUSES.assert_soon(retry.FIRST_PATIENCE)
    line = str(raised.value)
    assert "\n" not in line
    assert SECRET not in line
    for word in words:
        assert word in line, (word, line)
    return line


WRONG = {
    "secret": ({"AWS_SECRET_ACCESS_KEY": "wrong"}, StorePermissionError, ("AWS_SECRET_ACCESS_KEY",)),
    "key": ({"AWS_ACCESS_KEY_ID": "nobody"}, StorePermissionError, ("AWS_ACCESS_KEY_ID",)),
    "anonymous": ({"AWS_NO_SIGN_REQUEST": "YES"}, StorePermissionError, ("no permission", "AWS_PROFILE")),
}


@needs_keys
@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("verb", ["read", "write"])
def test_wrong_credentials(what, verb, bucket, monkeypatch):
    url = f"{bucket.url}/a.ome.zarr"
    write_labels(url, LABELS, name="a")
    variables, kind, words = WRONG[what]
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    call = (lambda: open_labels(url, "a")) if verb == "read" else lambda: write_labels(url, LABELS, name="b")
    said(call, kind, *words)


def test_no_credentials(bucket, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    said(
        lambda: open_labels(f"{bucket.url}/a.zarr"),
        StorePermissionError,
        "AWS_ACCESS_KEY_ID",
        "AWS_NO_SIGN_REQUEST=YES",
    )


def publish(bucket):
    """Let everybody read objects, but not list them."""
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": ["s3:GetObject"],
        "Resource": [f"arn:aws:s3:::{bucket.name}/*"],
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    bucket.server.client().put_bucket_policy(Bucket=bucket.name, Policy=policy)


@needs_keys
def test_a_public_bucket_is_read_by_anybody(bucket, monkeypatch):
    url = f"{bucket.url}/a.ome.zarr"
    write_labels(url, LABELS, name="a")
    publish(bucket)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_NO_SIGN_REQUEST", "YES")
    np.testing.assert_array_equal(open_labels(url, "a").read(), LABELS)


@needs_keys
def test_who_may_not_list_is_not_told_what_is_missing(bucket, monkeypatch):
    sparse = np.zeros((64, 64, 64), np.uint32)
    sparse[:16, :16, :16] = 7
    for version in ("0.5", "0.4"):
        url = f"{bucket.url}/{version}.ome.zarr"
        options = {"chunks": 16, "levels": 2} | ({"shards": None} if version == "0.5" else {})
        write_labels(url, sparse, name="a", ngff=version, **options)
    publish(bucket)
    monkeypatch.setenv("AWS_NO_SIGN_REQUEST", "YES")
    for version in ("0.5", "0.4"):
        image = open_labels(f"{bucket.url}/{version}.ome.zarr", "a")
        np.testing.assert_array_equal(image.read(), sparse)
    said(lambda: open_labels(f"{bucket.url}/none.ome.zarr", "a"), StorePermissionError, "no permission")


@needs_keys
def test_an_object_that_is_there_but_denied_is_no_background(bucket):
    url = f"{bucket.url}/a.ome.zarr"
    image = write_labels(url, LABELS, name="a", chunks=32, shards=None)
    resource = f"arn:aws:s3:::{bucket.name}/a.ome.zarr/labels/a/0/c/1/1/1"
    statement = {"Effect": "Deny", "Principal": "*", "Action": ["s3:GetObject"], "Resource": [resource]}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    bucket.server.client().put_bucket_policy(Bucket=bucket.name, Policy=policy)
    said(image.read, StorePermissionError, "no permission", "403 for an object that is there")


@pytest.mark.usefixtures("s3_environment")
def test_a_bucket_that_is_not_there():
    url = "s3://no-such-bucket-here/a.zarr"
    said(lambda: open_labels(url, "a"), StoreNotFoundError, "no bucket 'no-such-bucket-here'")
    said(lambda: write_labels(url, LABELS, name="a"), StoreNotFoundError, "no bucket 'no-such-bucket-here'")


@pytest.mark.usefixtures("s3_environment")
@pytest.mark.parametrize("address", ["http://127.0.0.1:{port}", "http://no-such-host.invalid:9000"])
def test_wrong_endpoints(address, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", address.format(port=free_ports(1)[0]))
    said(lambda: open_labels("s3://bucket/a.zarr", "a"), StoreError, "AWS_ENDPOINT_URL")


@pytest.mark.usefixtures("s3_environment")
def test_an_endpoint_that_is_silent(monkeypatch):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        # Its queue is full, so that whoever comes next hears nothing.
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(server.getsockname())
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.getsockname()[1]}")
        said(lambda: open_labels("s3://bucket/a.zarr", "a"), StoreError, "AWS_ENDPOINT_URL")
        for one in waiting:
            one.close()


CODES = {
    "ExpiredToken": (400, StorePermissionError, ("session has expired", "AWS_SESSION_TOKEN")),
    "RequestTimeTooSkewed": (403, StorePermissionError, ("clock",)),
    "PermanentRedirect": (301, StoreError, ("AWS_REGION",)),
    "AuthorizationHeaderMalformed": (400, StoreError, ("AWS_REGION",)),
    "AccessDenied": (403, StorePermissionError, ("no permission", "AWS_PROFILE")),
    "InvalidObjectState": (403, StoreError, ("refused", "InvalidObjectState")),
    "MethodNotAllowed": (405, StoreError, ("refused", "MethodNotAllowed")),
}


# s3fs follows a redirect, if it is told where to.
REFUSALS = [(c, code) for c in CLIENTS for code in CODES if (c, code) != ("s3fs", "PermanentRedirect")]


@pytest.mark.parametrize(("client", "code"), REFUSALS, indirect=["client"])
def test_what_servers_refuse(code, proxy, bucket):
    status, kind, words = CODES[code]
    url = f"{bucket.url}/a.zarr"
    proxy.faults.code = (status, code)
    said(lambda: open_labels(url, "a"), kind, *words)
    said(lambda: write_labels(url, LABELS, name="a"), kind, *words)


def test_a_session_that_expires_in_the_middle(proxy, bucket):
    url = f"{bucket.url}/a.zarr"
    image = write_labels(url, LABELS, name="a", chunks=16, shards=None)
    proxy.faults.code = (400, "ExpiredToken")
    said(image.read, StorePermissionError, "session has expired")
    proxy.faults.code = (403, "AccessDenied")  # no chunk is taken for missing
    said(image.read, StorePermissionError, "no permission")


FAULTS = {
    "503": {"503": 0.15},
    "500": {"500": 0.15},
    "dropped": {"drop": 0.15},
    "slow": {"slow": 0.15},
    "truncated": {"truncate": 0.15},
    "lost replies": {"after": 0.15},
    "all of them": {"503": 0.03, "500": 0.03, "drop": 0.03, "truncate": 0.03, "after": 0.03},
}


@pytest.mark.parametrize("edge", [32, pytest.param(64, marks=pytest.mark.long)])
@pytest.mark.parametrize("kind", FAULTS)
def test_work_is_done_while_requests_fail(kind, edge, proxy, bucket, tmp_path, request):
    proxy.faults.delay = 0.3
    url, labels = f"{bucket.url}/a.ome.zarr", LABELS[:edge, :edge, :edge]
    options = {"chunks": 16, "shards": None, "levels": 3}
    proxy.faults.chances = FAULTS[kind]
    for target in (url, tmp_path / "a.ome.zarr"):
        write_labels(target, labels, name="a", **options)
        write_labels(target, labels + 1, name="b", **options)
    np.testing.assert_array_equal(open_labels(url, "a").read(), labels)
    np.testing.assert_array_equal(open_labels(url, "b").levels[0].compute(), labels + 1)
    assert faults(url) == []
    assert sum(proxy.injected.values()) > (20 if edge == 64 else 5)
    proxy.faults.chances = {}
    found = fetched(url, request, tmp_path / "fetched")
    found = {key: value for key, value in found.items() if not key.startswith("ngffseg/register/")}
    assert found == digest(tmp_path / "a.ome.zarr")


@pytest.mark.parametrize("patience", [3.0, pytest.param(retry.PATIENCE, marks=pytest.mark.long)])
def test_a_server_that_always_fails_is_given_up(client, patience, proxy, bucket, monkeypatch):
    monkeypatch.setattr(retry, "PATIENCE", patience)
    url = f"{bucket.url}/a.ome.zarr"
    write_labels(url, LABELS, name="a")
    proxy.faults.chances = {"503" if client == "obstore" else "drop": 1.0}
    start = time.monotonic()
    with pytest.raises(StoreError, match=r"run again|AWS_ENDPOINT_URL"):
        write_labels(url, LABELS, name="b")
    # A server that has never answered is given up sooner.
    assert time.monotonic() - start > (patience * 2 / 3 if client == "obstore" else 0)


def test_cleaning_up_does_not_wait_all_over_again(proxy, bucket, monkeypatch, pauses):
    monkeypatch.setattr(retry, "PATIENCE", 3.0)
    url = f"{bucket.url}/a.ome.zarr"

    class Failing:
        shape, dtype = LABELS.shape, LABELS.dtype

        def __getitem__(self, box):
            proxy.faults.chances = {"503": 1.0}  # from now on nothing works
            return LABELS[box]

    with pytest.raises(StoreError, match="kept failing"):
        write_labels(url, Failing(), name="a", chunks=16, shards=None)
    assert pauses.given_up
    pauses.assert_soon(3.0)


def test_a_server_that_fails_in_the_middle_leaves_nothing_to_see(proxy, bucket, monkeypatch):
    monkeypatch.setattr(retry, "PATIENCE", 1.0)
    url = f"{bucket.url}/a.ome.zarr"
    write_labels(url, LABELS, name="a")
    before = bucket.keys()
    proxy.faults.chances, proxy.faults.match = {"503": 1.0}, "labels/b/0/c/"
    with pytest.raises(StoreError, match="kept failing"):
        write_labels(url, LABELS, name="b")
    assert bucket.keys() == before
    proxy.faults.chances = {}
    write_labels(url, LABELS, name="b")
    assert faults(url) == []


@pytest.fixture(scope="module")
def own_server(tmp_path_factory):
    """A server that nobody else uses, so that it can be stopped."""
    with Ceph(tmp_path_factory.mktemp("own") / "ceph") as server:
        yield server


@pytest.mark.skipif(server_kind() == "moto", reason="moto keeps its objects in its process")
def test_a_server_that_is_started_again(client, s3_environment, own_server, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", own_server.endpoint)
    own_server.client().create_bucket(Bucket=client)
    url = f"s3://{client}/a.ome.zarr"
    image = write_labels(url, LABELS, name="a", chunks=16, shards=None)
    own_server.stop()
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(image.read)
        time.sleep(1)
        assert not reading.done()
        own_server.start()
        np.testing.assert_array_equal(reading.result(), LABELS)
    rebuild_levels(url, "a", method="sparse")
    assert faults(url) == []
    assert s3_environment.endpoint != own_server.endpoint


def test_a_lost_reply_to_a_creation_is_no_defeat(proxy, bucket):
    url = f"{bucket.url}/a.ome.zarr"
    for number in range(10):
        proxy.faults.chances, proxy.faults.methods, proxy.faults.left = {"after": 1.0}, ("PUT",), 1
        assert create_object(url, f"{number}", b"mine")
        assert proxy.injected["after"] == number + 1


def test_nothing_that_is_printed_or_stored_holds_a_secret(bucket, tmp_path):
    url = f"{bucket.url}/a.ome.zarr"
    np.save(tmp_path / "a.npy", LABELS)
    code = (
        "import logging, sys, numpy, ngffseg; logging.basicConfig(level=logging.DEBUG);"
        "logging.getLogger('numba').setLevel(logging.WARNING);"  # a megabyte for each kernel that it compiles
        f"i = ngffseg.write_labels({url!r}, numpy.load({str(tmp_path / 'a.npy')!r}), name='a');"
        "print(i, repr(i._arrays[0].store), vars(i._arrays[0].store)); import pickle;"
        "sys.stdout.buffer.write(pickle.dumps(i)); ngffseg.open_labels('s3://no-such-bucket/a', 'a')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert b"no bucket" in done.stderr
    assert SECRET.encode() not in done.stdout + done.stderr
    assert all(SECRET.encode() not in bucket.read(key) for key in sorted(bucket.keys()))


WORDS = {
    "no bucket": ({}, "s3://no-such-bucket-here/a.zarr", 2, "no bucket"),
    "no store": ({}, "{bucket}/a.zarr", 2, "no OME-Zarr store there"),
    "wrong secret": ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "{bucket}/a.zarr", 3, "AWS_SECRET_ACCESS_KEY"),
    "wrong endpoint": ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "{bucket}/a.zarr", 3, "AWS_ENDPOINT_URL"),
}


@needs_keys
@pytest.mark.parametrize("what", WORDS)
def test_the_shell_says_one_line(what, bucket):
    variables, address, code, words = WORDS[what]
    program = [sys.executable, "-c", "from ngffseg.cli.main import main; main()"]
    done = subprocess.run(
        [*program, "info", address.format(bucket=bucket.url)],
        env={**os.environ, **variables}, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert retry.FIRST_PATIENCE < 5
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.count("\n") == 1, done.stderr
    assert words in done.stderr


def test_a_password_in_an_address_is_refused():
    said(lambda: open_labels("https://me:hunter2@host/a.zarr"), ValueError, "leave user and password out")
    with pytest.raises(ValueError, match="leave user") as raised:
        open_labels("https://me:hunter2@host/a.zarr")
    assert "hunter2" not in str(raised.value)


@needs_keys
def test_keys_of_a_profile(bucket, tmp_path, monkeypatch):
    key, secret = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
    endpoint = os.environ["AWS_ENDPOINT_URL"]
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL", "AWS_REGION"):
        monkeypatch.delenv(name)
    credentials, config = tmp_path / "credentials", tmp_path / "config"
    credentials.write_text(f"[lab]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")
    config.write_text(f"[profile lab]\nregion = eu-central-1\nendpoint_url = {endpoint}\n")
    monkeypatch.setenv("AWS_PROFILE", "lab")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    url = f"{bucket.url}/a.ome.zarr"
    write_labels(url, LABELS, name="a")
    np.testing.assert_array_equal(open_labels(url, "a").read(), LABELS)
    assert open_store(url)._make.args[1].region == "eu-central-1"


@pytest.mark.parametrize(
    ("code", "kind"), [((403, "AccessDenied"), StorePermissionError), ((400, "Odd"), StoreError)], ids=str
)
def test_a_server_that_fails_is_no_image_without_an_index(code, kind, proxy, bucket):
    """What is shown does not depend on an index, but a failing store is told, where it was taken for one without."""
    url = f"{bucket.url}/a.ome.zarr"
    write_labels(url, LABELS, name="a")
    assert known_segments(open_labels(url, "a"))["label_value"].tolist() == list(range(1, 9))
    for call in (known_segments, features_of, segment_properties):
        image = open_labels(url, "a")
        proxy.faults = Faults(code=code)
        said(lambda call=call, image=image: call(image), kind, code[1])
        proxy.faults = Faults()
    for key in [*bucket.keys()]:
        if "ngffseg/index" in key:
            bucket.server.client().delete_object(Bucket=bucket.name, Key=key)
    assert known_segments(open_labels(url, "a")) == {}
