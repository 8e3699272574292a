"""Leases: one holder at a time, on every kind of store; whoever is dead is replaced, and told so."""

import pytest

from ngffseg.store import await_lease, lease, list_objects, put_object, read_objects, take_lease


@pytest.fixture(params=["disk", "memory", "s3"])
def url(request, tmp_path):
    if request.param == "s3":
        return f"{request.getfixturevalue('bucket').url}/a.zarr"
    return str(tmp_path / "a.zarr") if request.param == "disk" else f"memory://{tmp_path.name}/a.zarr"


def test_one_at_a_time(url):
    first = take_lease(url, "ngffseg/jobs/x")
    assert first is not None
    assert first.held()
    assert take_lease(url, "ngffseg/jobs/x") is None
    other = take_lease(url, "ngffseg/jobs/y")
    assert other is not None
    other.release()
    first.release()
    again = take_lease(url, "ngffseg/jobs/x")
    assert again is not None
    assert again.held()
    again.release()


@pytest.mark.parametrize("kind", ["memory", "s3"])
def test_who_shows_no_life_is_replaced(kind, request, tmp_path, monkeypatch):
    monkeypatch.setattr(lease, "LEASE", 2.0)
    monkeypatch.setattr(lease, "BEAT", 100.0)  # it hangs
    url = f"memory://{tmp_path.name}/a.zarr"
    if kind == "s3":
        url = f"{request.getfixturevalue('bucket').url}/a.zarr"
    first = take_lease(url, "jobs/x")
    assert take_lease(url, "jobs/x") is None
    monkeypatch.setattr(lease, "BEAT", 0.3)
    second = await_lease(url, "jobs/x")
    assert second is not None
    assert second.held()
    assert not first.held()
    first.release(removed=True)
    assert second.held()
    monkeypatch.setattr(lease, "LEASE", 1.5)
    assert await_lease(url, "jobs/x") is None  # it shows that it lives
    second.release()
    assert [key for key in list_objects(url, "jobs/x/") if "clock" in key] == []


def test_a_server_that_tells_no_times(tmp_path, monkeypatch):
    monkeypatch.setattr(lease, "LEASE", 0.5)
    monkeypatch.setattr(lease, "BEAT", 100.0)
    url = f"memory://{tmp_path.name}/a.zarr"
    real = lease.list_objects
    timeless = lambda *arguments: {  # noqa: E731
        key: type(entry)(entry.size, None, entry.tag) for key, entry in real(*arguments).items()
    }
    monkeypatch.setattr(lease, "list_objects", timeless)
    first = take_lease(url, "jobs/x")
    second = take_lease(url, "jobs/x")
    assert second is not None
    assert not first.held()
    first.stop_heartbeat()  # its thread would go on for as long as the process, and be counted by others
    second.release()


def test_objects_on_every_kind_of_store(url):
    assert read_objects(url, ["a/b"]) == [None]
    put_object(url, "a/b", b"one")
    put_object(url, "a/b", b"two")
    put_object(url, "a/c/d", b"three")
    assert read_objects(url, ["a/b", "a/c/d", "a/e"]) == [b"two", b"three", None]
    found = list_objects(url, "a/")
    assert {key: entry.size for key, entry in found.items()} == {"a/b": 3, "a/c/d": 5}
    assert all(entry.modified is not None for entry in found.values())
    assert list_objects(url, "a/c") == {key: entry for key, entry in found.items() if key == "a/c/d"}
    before = list_objects(url, "a/b")["a/b"]
    put_object(url, "a/b", b"six")
    assert list_objects(url, "a/b")["a/b"] != before
