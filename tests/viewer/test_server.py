"""The data server: ranges, headers and what it refuses, asked for by real HTTP."""

import json
import os
import socket
import threading
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from ngffseg.convert.ozx import write_archive
from ngffseg.errors import MetadataError, NgffsegError, StoreNotFoundError, UsageError
from ngffseg.store import metered, open_store
from ngffseg.viewer import objects, open_viewer
from ngffseg.viewer.objects import ServedObjects
from tests.examples import examples
from tests.napari_plugin import volumes


def ask(url, method="GET", **headers):
    """Status, headers and body of an answer."""
    request = urllib.request.Request(
        url, method=method, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


def places(viewing):
    """Addresses below which the objects, and the lists of segments, are served."""
    layer = next(
        layer for layer in viewing.viewer.state.to_json()["layers"] if layer["type"] == "segmentation"
    )
    data, segments = (s["url"] if isinstance(s, dict) else s for s in layer["source"])
    return data.partition("labels/")[0], segments.partition("|")[0]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("viewer") / "a.zarr"
    volumes.write(folder, volumes.axial())
    (folder / "bytes").write_bytes(bytes(range(200)))
    (folder.parent / "secret").write_text("not yours", "utf-8")
    return folder


@pytest.fixture
def data(store):
    with open_viewer(store) as viewing:
        yield places(viewing)[0]


@given(st.integers(0, 230), st.integers(0, 230), st.sampled_from(["from-to", "from", "last"]))
@examples(40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_ranges_are_those_of_rfc_9110(data, first, second, kind):
    """A part that exists comes with 206 and where it lies; one beyond the end is 416; nonsense is the whole."""
    content = bytes(range(200))
    start, last = min(first, second), max(first, second)
    text = {"from-to": f"{start}-{last}", "from": f"{start}-", "last": f"-{first}"}[kind]
    expected = {
        "from-to": content[start : last + 1],
        "from": content[start:],
        "last": content[-first:] if first else b"",
    }[kind]
    status, headers, body = ask(f"{data}bytes", Range=f"bytes={text}")
    if not expected:
        assert (status, headers["Content-Range"]) == (416, "bytes */200")
        return
    assert (status, body) == (206, expected)
    begin = content.index(expected)
    assert headers["Content-Range"] == f"bytes {begin}-{begin + len(expected) - 1}/200"


@pytest.mark.parametrize("text", ["bytes=0-3,5-8", "items=0-3", "bytes=a-b", "bytes=", "bytes=--3", ""])
def test_other_ranges_are_answered_with_the_whole(data, text):
    """As RFC 9110 allows: an unknown unit or several parts may be ignored."""
    status, headers, body = ask(f"{data}bytes", Range=text)
    assert (status, body) == (200, bytes(range(200)))
    assert headers["Accept-Ranges"] == "bytes"


def test_headers_for_pages_of_other_origins(data):
    """CORS: before a range is asked for, and with each answer."""
    status, headers, body = ask(
        f"{data}bytes", "OPTIONS", Origin="http://elsewhere", Access_Control_Request_Headers="range"
    )
    assert (status, body, headers["Access-Control-Allow-Origin"]) == (204, b"", "*")
    assert headers["Access-Control-Allow-Headers"] == "Range"
    for method in ("GET", "HEAD"):
        status, headers, body = ask(f"{data}bytes", method)
        assert (status, headers["Content-Length"], len(body)) == (200, "200", 200 if method == "GET" else 0)
        assert "Content-Range" in headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize(
    "key",
    [
        "nothing",
        "labels",
        "../secret",
        "..%2Fsecret",
        "labels/../../secret",
        "/etc/passwd",
        "%2Fetc%2Fpasswd",
        "",
    ],
)
def test_nothing_but_objects_of_the_store_is_served(data, key):
    """No folder, and no way out of the store."""
    for method in ("GET", "HEAD"):
        status, _, body = ask(f"{data}{key}", method)
        assert status == 404
        assert b"not yours" not in body


def test_only_who_has_the_token_and_only_this_machine(data, store):
    """Another token or host name finds nothing; nothing can be written; only loopback listens."""
    parts = urlsplit(data)
    token = parts.path.split("/")[2]
    assert len(token) >= 30
    assert ask(data.replace(token, "x" * len(token)) + "bytes")[0] == 404
    assert ask(f"http://{parts.netloc}/data/bytes")[0] == 404
    assert ask(f"{data}bytes", Host="evil.example.org")[0] == 404
    for method in ("PUT", "POST", "DELETE"):
        assert ask(f"{data}bytes", method)[0] == 405
    assert (store / "bytes").read_bytes() == bytes(range(200))
    outside = socket.gethostbyname(socket.gethostname())
    if not outside.startswith("127."):
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((outside, parts.port), timeout=2)


def test_the_list_of_segments(store):
    """Ids as exact decimals, names, sizes."""
    with open_viewer(store) as viewing:
        address = places(viewing)[1]
        inline = json.loads(ask(f"{address}info")[2])["inline"]
        assert ask(f"{address}other")[0] == 404
    assert inline["ids"] == ["7", str(2**63 + 5)]
    found = {p["id"]: p["values"] for p in inline["properties"]}
    assert found["label"] == ["seven", "nine"]
    assert found["voxels"] == [2000, 2000]
    assert found["volume (mm³)"] == [6000, 6000]


def test_an_archive_is_served_too(store, tmp_path):
    """A store in one file, read in place."""
    write_archive(store, tmp_path / "a.ozx")
    with open_viewer(tmp_path / "a.ozx") as viewing:
        address = places(viewing)[0]
        status, _, body = ask(f"{address}labels/boxes/zarr.json")
        assert (status, body) == (200, (store / "labels" / "boxes" / "zarr.json").read_bytes())
        assert ask(f"{address}labels/boxes/zarr.json", Range="bytes=-5")[2] == body[-5:]


def test_closing_leaves_nothing(store):
    """No port, no thread; and the next one can be opened."""
    before = set(threading.enumerate())
    with open_viewer(store) as viewing:
        port = urlsplit(viewing.address).port
        assert ask(viewing.address)[0] == 200
        with pytest.raises(UsageError, match="close it first"):
            open_viewer(store)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=2)
    assert {
        t for t in set(threading.enumerate()) - before if "zarr" not in t.name and "asyncio" not in t.name
    } == set()
    with open_viewer(store, port=port) as viewing:
        assert urlsplit(viewing.address).port == port


def test_small_objects_of_a_server_are_fetched_once(tmp_path):
    """However many parts are asked for, at the same time or not; a large one by its parts."""
    (tmp_path / "small").write_bytes(os.urandom(50_000))
    large = os.urandom(objects.BLOCK + 5000)
    (tmp_path / "large").write_bytes(large)
    with metered() as meter:
        served = ServedObjects(open_store(str(tmp_path)))
        threads = [
            threading.Thread(target=served.read, args=("small", n * 100, n * 100 + 50)) for n in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert dict(meter.requests) == {"GET": 1}
        assert served.size("small") == 50_000
        assert served.read("none") is None
        assert served.read("none", 0, 5) is None
        assert dict(meter.requests) == {"GET": 2}
        found = served.read("large", -4000, None)
        assert found.data == large[-4000:]
        assert (found.start, found.size) == (len(large) - 4000, len(large))
        assert dict(meter.requests) == {"GET": 4, "HEAD": 1}
        assert served.read("large").data == large
        assert served.read("large", objects.BLOCK - 10, objects.BLOCK + 10).data == large[-5010:-4990]
        assert served.read("large", 2 * objects.BLOCK).data == b""
        assert dict(meter.requests) == {"GET": 4, "HEAD": 1}


def test_a_failing_store_is_a_bad_gateway_and_told(bucket):
    """The page gets 502, who runs it the line that says why."""
    volumes.write(f"{bucket.url}/a.zarr", volumes.axial())
    told = []
    with open_viewer(f"{bucket.url}/a.zarr", tell=told.append) as viewing:
        address = places(viewing)[0]
        assert ask(f"{address}labels/boxes/zarr.json")[0] == 200
        bucket.server.client().put_bucket_policy(
            Bucket=bucket.name,
            Policy=json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Deny",
                            "Principal": "*",
                            "Action": ["s3:GetObject", "s3:ListBucket"],
                            "Resource": [f"arn:aws:s3:::{bucket.name}", f"arn:aws:s3:::{bucket.name}/*"],
                        }
                    ],
                }
            ),
        )
        assert ask(f"{address}labels/boxes/0/zarr.json")[0] == 502
    assert told
    assert "\n" not in str(told[0])
    assert "s3://" in str(told[0])


def test_bad_input_is_told_in_one_line(store, tmp_path):
    """A port in use, no store, a version that browsers do not read."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} of 127.0.0.1 cannot be used"):
            open_viewer(store, port=port)
    with pytest.raises(StoreNotFoundError, match="no OME-Zarr store there"):
        open_viewer(tmp_path / "nothing.zarr")
    with pytest.raises(NgffsegError, match="no label image 'other'"):
        open_viewer(store, "other")
    volumes.write(tmp_path / "old.zarr", volumes.axial(), ngff="0.4")
    path = tmp_path / "old.zarr" / ".zattrs"
    document = json.loads(path.read_text("utf-8"))
    document["multiscales"][0]["version"] = "0.2"
    path.write_text(json.dumps(document), "utf-8")
    with pytest.raises(MetadataError, match=r"the browser shows 0\.4 and 0\.5"):
        open_viewer(tmp_path / "old.zarr")
    # A failure leaves no server behind.
    with open_viewer(store) as viewing:
        assert ask(viewing.address)[0] == 200
