"""Reading the facts of a store, node by node, for validation; no chunk is read.

Documents are read and understood one by one, all of a round at the same time: one that is broken hides none
of the others. What is found wrong is a fact, too.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from zarr.abc.store import Store

from ngffseg import ngff
from ngffseg.errors import MetadataError, OutsideStoreError, StorePermissionError
from ngffseg.labels.nodes.documents import Document, document_key, find_documents, find_names
from ngffseg.labels.nodes.find import GROUP_KEYS
from ngffseg.labels.nodes.paths import LABELS
from ngffseg.labels.validation.array_facts import array_node
from ngffseg.ngff import Node, Place, Severity, Violation

V2_FILES = (".zgroup", ".zarray", ".zattrs")
FILES = ("zarr.json", ".zmetadata", *V2_FILES)
# Label images may lie in groups between; more of them in each other are no layout of anybody.
MOST_NESTED = 20

Found = Document | Exception | None


def collect(store: Store, *, listable: bool) -> dict[str, Node]:
    """Facts of the image group, its labels and all their levels, by path.

    Empty if nothing is there. Where the store is not ``listable``, only what the metadata name
    is found.

    Raises
    ------
    StorePermissionError
        If the server denies all that may be there.
    """
    return _Collector(store, listable=listable).collect()


class _Collector:
    """Walks a store in rounds and keeps what it has found."""

    def __init__(self, store: Store, *, listable: bool) -> None:
        self.store, self.listable = store, listable
        self.nodes: dict[str, Node] = {}
        self.denied: StorePermissionError | None = None
        self.looked: set[str] = set()

    def collect(self) -> dict[str, Node]:
        # Whether there are labels is a guess; all other paths are named by somebody.
        new = self.read(["", LABELS], named=False)
        if self.denied is not None and not self.nodes:
            raise self.denied
        while new:
            self.list_children([node for node in new if self.holds_labels(node)])
            new = self.read([path for node in new for path in self.named_by(self.nodes[node.path])])
        return self.nodes

    def check_root(self, found: Sequence[Found]) -> None:
        """Refuse a store that consists of links out of it; of one label image that does, this is told."""
        first = next((answer for answer in found if answer is not None), None)
        if isinstance(first, OutsideStoreError):
            raise first

    def holds_labels(self, node: Node) -> bool:
        """Return True if label images may lie in a group: in the labels group, and in groups in it."""
        if node.kind != "group" or node.is_image or node.collection is not None:
            return False
        root = self.nodes.get("")
        top = "" if root is not None and "labels" in root.metadata else LABELS
        return node.path == top or node.path.startswith(f"{top}/".lstrip("/"))

    def named_by(self, node: Node) -> Iterator[str]:
        """Paths of all that a node names: levels, sources, label images, members."""
        yield from node.datasets
        stated = ngff.source_image(node.metadata) if node.kind == "group" else None
        if stated is not None:
            # One that leads outside of the store is not looked for.
            yield posixpath.normpath(posixpath.join("/", node.path, stated)).strip("/")
        if self.holds_labels(node):
            names = [*ngff.listed_labels(node.metadata), *(node.children or ())]
            yield from (node.below(name) for name in names if name)
        yield from self.members(node)

    def members(self, node: Node) -> Iterator[str]:
        """Paths of what a plate, a well or a root of bioformats2raw names."""
        collection = node.collection
        if collection is not None:
            series = [ngff.SERIES] if collection.kind == ngff.BIOFORMATS2RAW else []
            yield from (node.below(path) for path in (*collection.members, *series))
        if node.path == ngff.SERIES:
            yield from ngff.listed_series(node.attributes) or ()

    def list_children(self, groups: Sequence[Node]) -> None:
        """Tell groups the names of what lies in them."""
        if not self.listable or not groups:
            return
        found = find_names(self.store, [group.path for group in groups])
        for group, (names, error) in zip(groups, found, strict=True):
            if error is not None:
                self.nodes[group.path] = replace(group, problems=(_unread(group.path, error),))
                continue
            odd = tuple(_odd_name(group.below(name)) for name in names if _leaves(name))
            known = tuple(sorted(n for n in names if n not in FILES and not _leaves(n)))
            self.nodes[group.path] = replace(group, children=known, problems=odd)

    def read(self, paths: Iterable[str], *, named: bool = True) -> list[Node]:
        """Read what lies at some paths; what has been looked at is not read again."""
        wanted = [path for path in dict.fromkeys(paths) if path not in self.looked]
        self.looked.update(wanted)
        wanted = [path for path in wanted if not any(map(_leaves, path.split("/"))) or not path]
        for path in (path for path in wanted if path.count("/") >= MOST_NESTED):
            self.nodes[path] = _broken(
                path, "UNKNOWN", "Groups are judged so far down.", f"{MOST_NESTED} groups"
            )
        wanted = [path for path in wanted if path not in self.nodes]
        documents = find_documents(self.store, [document_key(path, "zarr.json") for path in wanted])
        old = [path for path, found in zip(wanted, documents, strict=True) if not isinstance(found, dict)]
        parts = find_documents(self.store, [document_key(path, file) for path in old for file in V2_FILES])
        if "" in wanted:
            self.check_root([*documents, *parts])
        before = {path: parts[n * 3 : n * 3 + 3] for n, path in enumerate(old)}
        new = []
        for path, document in zip(wanted, documents, strict=True):
            node = self.node(path, [document, *before.get(path, ())], named=named)
            if node is not None:
                new.append(node)
                self.nodes[path] = node
        return new

    def node(self, path: str, found: Sequence[Found], *, named: bool) -> Node | None:
        """The node that some documents tell of; None if there is none."""
        if isinstance(found[0], dict):
            return _node3(self.store, path, found[0])
        known = [part for part in found if isinstance(part, dict)]
        errors = [part for part in found if isinstance(part, Exception)]
        denied = next((e for e in errors if isinstance(e, StorePermissionError)), None)
        if denied is not None and not known and not named:
            self.denied = self.denied or denied
            return None
        # A server that denies one object of several denies those that are missing.
        stated = [e for e in errors if not (isinstance(e, StorePermissionError) and known)]
        if stated:
            return Node(
                path, "broken", 3 if stated[0] is found[0] else 2, problems=(_unread(path, stated[0]),)
            )
        return _node2(self.store, path, found[1:])


def _node3(store: Store, path: str, document: Document) -> Node:
    zarr_format, kind = document.get("zarr_format"), document.get("node_type")
    attributes = document.get("attributes", {})
    if zarr_format != 3 or isinstance(zarr_format, bool):
        rule = "The zarr.json of Zarr v3 MUST tell its zarr_format, which is 3."
        return _broken(
            path, "UNKNOWN" if isinstance(zarr_format, int) else "MUST", rule, ngff.short_json(zarr_format)
        )
    if kind not in ("group", "array"):
        rule = 'The node_type of a zarr.json MUST be "group" or "array".'
        return _broken(path, "MUST", rule, ngff.short_json(kind))
    if not isinstance(attributes, dict):
        rule = "The attributes of a Zarr node MUST be a JSON object."
        return _broken(path, "MUST", rule, ngff.short_json(attributes))
    if kind == "array":
        return array_node(store, path, document, 3)
    return Node(path, "group", 3, attributes)


def _node2(store: Store, path: str, found: Sequence[Found]) -> Node | None:
    group, array, attributes = (part if isinstance(part, dict) else None for part in found)
    if array is not None and group is None:
        return array_node(store, path, {**array, "attributes": attributes or {}}, 2)
    # Without .zgroup, attributes of OME-Zarr tell that it is a group.
    if group is None and (attributes is None or GROUP_KEYS.isdisjoint(attributes)):
        return None
    return Node(path, "group", 2, attributes or {})


def _broken(path: str, severity: Severity, rule: str, found: str) -> Node:
    problem = Violation(severity, Place(path), rule, "what the rule says", found)
    return Node(path, "broken", 3, problems=(problem,))


def _unread(path: str, error: Exception) -> Violation:
    """What the error of a document says of its node."""
    broken = isinstance(error, MetadataError) and not isinstance(error, ngff.TooDeepError)
    rule = (
        "The metadata of a Zarr node are a JSON object."
        if broken
        else "What cannot be read cannot be judged."
    )
    stated = getattr(error, "strerror", None) or str(error)
    found = ngff.short_text(" ".join(stated.split()))
    return Violation("MUST" if broken else "UNKNOWN", Place(path), rule, "a JSON object", found)


def _odd_name(path: str) -> Violation:
    # Zarr v3, core, "Node names": "must not be a string composed only of period characters"
    rule = 'Zarr: the name of a node must not be empty, hold "/" or NUL, or be composed only of periods.'
    return Violation("UNKNOWN", Place(path), rule, "a name", ngff.short_json(path))


def _leaves(name: str) -> bool:
    """Return True if no node can have this name."""
    return not name.strip(".") or "\0" in name or "/" in name
