"""Every kind of store, as the same suites see them."""

import shutil
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import fsspec

from tests.storage.plain import plain_server

WRITABLE = ("local", "memory", "s3 obstore", "s3 s3fs")
READABLE = (
    *WRITABLE,
    "http",
    "http 403",
    "http without ranges",
    "zip",
    "zip deflated",
    "zip on s3",
    "zip on http",
)
LISTABLE = tuple(kind for kind in READABLE if not kind.startswith("http"))


@dataclass(frozen=True)
class Kind:
    """One kind of store.

    Parameters
    ----------
    name
        See `READABLE`.
    new
        Makes the address of a store that is not there yet.
    """

    name: str
    new: Callable[[], str]


def fill(url: str, folder: Path, client: object) -> None:
    """Copy the files of a folder to a store, without the code under test."""
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    if url.startswith("s3://"):
        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        for file in files:
            key = f"{prefix}/{file.relative_to(folder).as_posix()}"
            client.put_object(Bucket=bucket, Key=key, Body=file.read_bytes())
    elif url.startswith("memory://"):
        fs, base = fsspec.core.url_to_fs(url)
        for file in files:
            fs.pipe_file(f"{base}/{file.relative_to(folder).as_posix()}", file.read_bytes())
    else:
        shutil.copytree(folder, url, dirs_exist_ok=True)


def packed(folder: Path, target: Path, compression: int = zipfile.ZIP_STORED) -> Path:
    """The files of a folder in a zip file."""
    with zipfile.ZipFile(target, "w", compression) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder).as_posix())
    return target


@contextmanager
def readable(name: str, folder: Path, request, tmp_path: Path) -> Iterator[str]:
    """Address of a store of a kind that holds the files of a folder."""
    if name in WRITABLE:
        kind = writable(name, request, tmp_path)
        url = kind.new()
        client = request.getfixturevalue("bucket").server.client() if name.startswith("s3") else None
        fill(url, folder, client)
        yield url
    elif name.startswith("http"):
        missing = 403 if name.endswith("403") else 404
        with plain_server(folder, missing, ranges="without" not in name) as plain:
            yield plain.url
    elif name in ("zip", "zip deflated"):
        how = zipfile.ZIP_DEFLATED if name.endswith("deflated") else zipfile.ZIP_STORED
        yield str(packed(folder, tmp_path / "case.ozx", how))
    elif name == "zip on http":
        (tmp_path / "served").mkdir()
        packed(folder, tmp_path / "served/case.ozx")
        with plain_server(tmp_path / "served") as plain:
            yield f"{plain.url}/case.ozx"
    else:
        bucket = request.getfixturevalue("bucket")
        data = packed(folder, tmp_path / "case.ozx").read_bytes()
        bucket.server.client().put_object(Bucket=bucket.name, Key="a/case.ozx", Body=data)
        yield f"{bucket.url}/a/case.ozx"


def writable(name: str, request, tmp_path: Path) -> Kind:
    """A kind of store that can be written."""
    if name == "local":
        return Kind(name, lambda: str(tmp_path / f"{uuid.uuid4().hex}.ome.zarr"))
    if name == "memory":
        return Kind(name, lambda: f"memory://{uuid.uuid4().hex}/case.ome.zarr")
    bucket = request.getfixturevalue("bucket")
    if name == "s3 s3fs":
        request.getfixturevalue("monkeypatch").setattr("ngffseg.store.url.has_obstore", lambda: False)
    return Kind(name, lambda: f"{bucket.url}/{uuid.uuid4().hex}/case.ome.zarr")
