"""The judge at work: has the facts of a store judged by the rules of NGFF, and mends metadata."""

from __future__ import annotations

import os

import zarr
from zarr.abc.store import Store

from ngffseg import ngff
from ngffseg.errors import StoreNotFoundError
from ngffseg.labels.creation import put_attributes, refresh_consolidated
from ngffseg.labels.facts import collect
from ngffseg.labels.register import update_register
from ngffseg.store import can_list, local_path, locked, normalized, open_store, store_errors

# A fix may uncover the next fault of the same group; more rounds than this mean a fix is wrong.
MOST_ROUNDS = 1000


def check(url: str | os.PathLike[str], *, fix: bool = False) -> list[ngff.Violation]:
    """Judge a store by the specification of its version and by the schemas of ngffseg.

    Parameters
    ----------
    url
        Address of an image group, of its labels group or of a label image.
    fix
        Mend what can be mended without guessing, in the metadata alone.

    Returns
    -------
    list of Violation
        What is wrong, or what is still wrong after mending.

    Raises
    ------
    StoreNotFoundError
        If nothing is there.
    """
    address = normalized(url)
    with store_errors(address):
        if fix and local_path(address) is None and can_list(address):
            update_register(open_store(address), address)  # what was registered by writers that died
        violations = _judge(open_store(address), address)
        if fix and any(v.fix is not None for v in violations):
            store = open_store(address, read_only=False)
            with locked(address):
                violations = _mended(store, address)
    return violations


def _judge(store: Store, address: str) -> list[ngff.Violation]:
    nodes = collect(store, listable=can_list(address))
    if not nodes:
        raise StoreNotFoundError(f"{address}: no Zarr group there: check the address")
    return ngff.judge_store(nodes)


def _mended(store: Store, address: str) -> list[ngff.Violation]:
    violations = _judge(store, address)
    for _ in range(MOST_ROUNDS):
        first = next((v for v in violations if v.fix is not None), None)
        if first is None or first.fix is None:
            break
        # An unlisted label image is mended in the labels group above it.
        group = zarr.open_group(store, path=first.fix.group, mode="r+", use_consolidated=False)
        put_attributes(store, group, first.fix.attributes)
        violations = _judge(store, address)
    refresh_consolidated(address)
    return violations
