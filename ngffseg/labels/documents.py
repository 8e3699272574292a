"""JSON documents of a store, several at a time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from zarr.abc.store import Store
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync

from ngffseg.errors import MetadataError, StoreNotFoundError, StorePermissionError
from ngffseg.store import all_of

Document = dict[str, Any]


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
        document = json.loads(buffer.to_bytes())
    except ValueError as error:
        raise MetadataError(f"{store}: {key} is no JSON ({error}): restore it from its source") from error
    if not isinstance(document, dict):
        raise MetadataError(f"{store}: {key} holds no JSON object: restore it from its source")
    return document
