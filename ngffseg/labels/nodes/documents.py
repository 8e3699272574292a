"""JSON documents of a store, several at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zarr.abc.store import Store
from zarr.buffer import default_buffer_prototype

from ngffseg.errors import MetadataError, StoreError, StoreNotFoundError, StorePermissionError
from ngffseg.ngff import parse_object
from ngffseg.store import all_of
from ngffseg.zarr_internals import sync

Document = dict[str, Any]


def document_key(path: str, file: str) -> str:
    """Key of a document of a node."""
    return f"{path}/{file}".strip("/")


def read_documents(store: Store, keys: Sequence[str]) -> list[Document | None]:
    """Documents by key, at the same time; None where there is none.

    Raises
    ------
    MetadataError
        If one is no JSON object.
    StorePermissionError
        If the server denies all that is not missing. One that denies some of them, but not others,
        hides what is missing: so do many from those who may not list.
    """
    found = sync(_read(store, keys))
    denied = next((answer for answer in found if isinstance(answer, StorePermissionError)), None)
    documents = [None if isinstance(answer, StorePermissionError) else answer for answer in found]
    if denied is not None and not any(documents):
        raise denied
    return documents


def find_documents(store: Store, keys: Sequence[str]) -> list[Document | Exception | None]:
    """Documents by key, at the same time; None where there is none, an error where one cannot be read.

    Raises
    ------
    StoreError
        If the server fails.
    """
    return [answer[0] for answer in sync(_find(store, keys))]


async def _find(store: Store, keys: Sequence[str]) -> list[tuple[Document | Exception | None]]:
    return await all_of(_find_one(store, key) for key in keys)


async def _find_one(store: Store, key: str) -> tuple[Document | Exception | None]:
    """What one key holds, in a tuple: an error is an answer here."""
    try:
        return (await _read_one(store, key),)
    except (StorePermissionError, MetadataError) as error:
        return (error,)
    except StoreError:
        raise  # the server fails
    except OSError as error:
        return (error,)


async def _read(store: Store, keys: Sequence[str]) -> list[Document | StorePermissionError | None]:
    return await all_of(_read_one(store, key) for key in keys)


async def _read_one(store: Store, key: str) -> Document | StorePermissionError | None:
    try:
        buffer = await store.get(key, default_buffer_prototype())
    except StorePermissionError as error:
        return error
    except StoreNotFoundError:
        raise  # there is no bucket, or no server
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    if buffer is None:
        return None
    try:
        return parse_object(buffer.to_bytes())
    except MetadataError as error:
        raise type(error)(f"{store}: {key} {error}: restore it from its source") from error


def find_names(store: Store, paths: Sequence[str]) -> list[tuple[list[str], OSError | None]]:
    """Names in some groups, at the same time; or none, and why a group cannot be listed.

    Raises
    ------
    StoreError
        If the server fails.
    """
    return sync(_list_all(store, paths))


async def _list_all(store: Store, paths: Sequence[str]) -> list[tuple[list[str], OSError | None]]:
    return await all_of(_list(store, path) for path in paths)


async def _list(store: Store, path: str) -> tuple[list[str], OSError | None]:
    try:
        return [name async for name in store.list_dir(path)], None
    except (FileNotFoundError, NotADirectoryError):
        return [], None
    except OSError as error:
        if isinstance(error, StoreError) and not isinstance(error, StorePermissionError):
            raise  # the server fails
        return [], error
