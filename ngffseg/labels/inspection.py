"""The judge at work: has the facts of a store judged by the rules of NGFF, and mends metadata."""

from __future__ import annotations

import os

from zarr.abc.store import Store

from ngffseg import ngff
from ngffseg.errors import StoreNotFoundError
from ngffseg.labels.consolidated import refresh_consolidated
from ngffseg.labels.facts import collect
from ngffseg.labels.group_document import put_group
from ngffseg.labels.host import writable_version
from ngffseg.labels.register import update_register
from ngffseg.store import can_list, check_writable, local_path, locked, normalized, open_store, store_errors

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
        violations = ngff.judge_store(_facts(open_store(address), address))
        if fix and (can_list(address) or any(v.fix is not None for v in violations)):
            check_writable(address)
            with locked(address):
                violations = _mended(open_store(address), address)
    return violations


def _facts(store: Store, address: str) -> dict[str, ngff.Node]:
    nodes = collect(store, listable=can_list(address))
    if not nodes:
        raise StoreNotFoundError(f"{address}: no Zarr group there: check the address")
    return nodes


def _mended(store: Store, address: str) -> list[ngff.Violation]:
    for _ in range(MOST_ROUNDS):
        nodes = _facts(store, address)
        violations = ngff.judge_store(nodes)
        fix = next((v.fix for v in violations if v.fix is not None), None)
        if fix is None:
            break
        # A labels group says the version of the label images in it, too: none of them is guessed at.
        below = [node for path, node in nodes.items() if f"{path}/".startswith(f"{fix.group}/".lstrip("/"))]
        versions = {
            node.path: writable_version(
                f"{address}/{node.path}".rstrip("/"), node.attributes, node.zarr_format
            )
            for node in below
            if node.kind == "group"
        }
        put_group(address, fix.group, versions[fix.group], fix.attributes)
    groups = [path for path, node in nodes.items() if node.kind == "group"]
    refresh_consolidated(address, groups, nodes[""].zarr_format)
    return violations
