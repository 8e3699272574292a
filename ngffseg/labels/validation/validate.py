"""Validates the facts of a store by the rules of NGFF, and fixes metadata."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from zarr.abc.store import Store

from ngffseg import ngff
from ngffseg.errors import StoreNotFoundError
from ngffseg.keywords import strict
from ngffseg.labels.nodes.consolidated import refresh_consolidated
from ngffseg.labels.registry.object_store import update_registry
from ngffseg.labels.validation.collect import collect
from ngffseg.labels.validation.rewriting import Rewriting
from ngffseg.ngff import Fix, Place, Violation
from ngffseg.store import can_list, check_writable, local_path, locked, normalized, open_store, store_errors

Nodes = dict[str, ngff.Node]


@dataclass(frozen=True, slots=True)
class Change:
    """What a fix has changed at one place; None as text for what is not there."""

    place: Place
    text: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Fixes:
    """What was fixed, and what is left.

    Parameters
    ----------
    violations
        What is still wrong.
    changes
        What was changed, in order.
    copies
        Keys of the objects that hold the metadata documents as they were before.
    """

    violations: list[Violation]
    changes: tuple[Change, ...] = ()
    copies: tuple[str, ...] = ()


@strict()
def check(url: str | os.PathLike[str], *, fix: bool = False) -> list[Violation]:
    """Validate a store by the specification of its version and by the schemas of ngffseg.

    Parameters
    ----------
    url
        Address of an image group, of its labels group or of a label image.
    fix
        Fix what can be fixed without guessing, in the metadata alone; see `apply_fixes`.

    Returns
    -------
    list of Violation
        What is wrong, or what is still wrong after fixing; of severity UNKNOWN what cannot be validated.

    Raises
    ------
    StoreNotFoundError
        If nothing is there.
    """
    if fix:
        return apply_fixes(url).violations
    address = normalized(url)
    with store_errors(address):
        return ngff.validate_store(_facts(open_store(address), address))


def apply_fixes(url: str | os.PathLike[str]) -> Fixes:
    """Fix what can be fixed without guessing, in the metadata of a store alone.

    All fixes are worked out first. Then copies of the documents that change are kept in the store, and the
    documents are replaced; if that fails, they are put back.

    Raises
    ------
    StoreNotFoundError
        If nothing is there.
    StoreError
        If a document cannot be written, or somebody else changes it at the same time.
    """
    address = normalized(url)
    with store_errors(address):
        if local_path(address) is None and can_list(address):
            update_registry(open_store(address), address)  # what was registered by writers that died
        store = open_store(address)
        violations = ngff.validate_store(_facts(store, address))
        if any(violation.fix is not None for violation in violations):
            check_writable(address)
        elif not (can_list(address) and store.supports_writes):
            return Fixes(violations)
        with locked(address):
            nodes = _facts(store, address)
            fixed, changes = _fixed(nodes)
            if not changes and any(node.kind == "broken" for node in nodes.values()):
                return Fixes(violations)  # consolidated metadata may hold the last good copy of it
            changed = [node for path, node in fixed.items() if node is not nodes[path]]
            groups = [node for node in nodes.values() if node.kind == "group"]
            with Rewriting(address, changed, groups) as rewriting:
                rewriting.write()
                for zarr_format in {group.zarr_format for group in groups}:
                    paths = [group.path for group in groups if group.zarr_format == zarr_format]
                    refresh_consolidated(address, paths, zarr_format)
                rewriting.keep_refreshed()
            return Fixes(ngff.validate_store(_facts(store, address)), changes, tuple(rewriting.copies))


def _facts(store: Store, address: str) -> Nodes:
    nodes = collect(store, listable=can_list(address))
    if not nodes:
        raise StoreNotFoundError(f"{address}: no Zarr group there: check the address")
    return nodes


def _fixed(nodes: Nodes) -> tuple[Nodes, tuple[Change, ...]]:
    """Facts after all fixes, and what they change; a fix that uncovers more faults than it fixes is left."""
    changes: list[Change] = []
    refused: set[tuple[str, str]] = set()
    violations = ngff.validate_store(nodes)
    while True:
        fix = next((v.fix for v in violations if v.fix is not None and _key(v.fix) not in refused), None)
        if fix is None:
            return nodes, tuple(changes)
        node = nodes[fix.group]
        tried = nodes | {fix.group: replace(node, attributes=fix.attributes)}
        after = ngff.validate_store(tried)
        if _weight(after) >= _weight(violations):
            refused.add(_key(fix))
            continue
        changes += [
            Change(place, fix.text, before, now)
            for place, before, now in ngff.differences(node.attributes, fix.attributes, Place(fix.group, ""))
        ]
        nodes, violations = tried, after


def _key(fix: Fix) -> tuple[str, str]:
    return fix.group, fix.text


def _weight(violations: list[Violation]) -> tuple[int, int]:
    """What a fix makes less: faults that MUST not be, then all others."""
    must = sum(v.severity == "MUST" for v in violations)
    return must, len(violations) - must
