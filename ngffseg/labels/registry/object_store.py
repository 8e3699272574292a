"""The register of an object store, where there are neither locks nor moves, and many writers.

A registration is one object that only one writer can create (``If-None-Match: *``): with it a write
has happened. It holds all metadata that are to be published, so whoever comes next can finish what
its writer did not. The documents that readers open follow from the newest registrations.

No name is lost, however writers interleave: each lists the registrations after its last write of the
register, and writes it again if it lacks one. So the last write of all misses nothing that was created
before it was listed, and the writer of what was created after that would have written later.
"""

from __future__ import annotations

from zarr.abc.store import Store

from ngffseg import ngff
from ngffseg.errors import MetadataError
from ngffseg.labels.nodes.create import create_group, create_node
from ngffseg.labels.nodes.documents import read_documents
from ngffseg.labels.nodes.find import attributes_of, find_arrays, find_group, find_groups
from ngffseg.labels.nodes.group_document import put_group
from ngffseg.labels.nodes.paths import INDEX, LABELS, OWN, REGISTRY
from ngffseg.labels.plan.metadata import validated, with_schemas
from ngffseg.labels.read.image_group import find_image_group
from ngffseg.labels.registry.entries import registered
from ngffseg.ngff import CommitRecord
from ngffseg.store import create_object, list_objects


def create_commit_record(url: str, commit_record: CommitRecord) -> bool:
    """Register a write, in one step that one of many writers takes; return False if another writer was first."""
    document = commit_record.document
    encoded = ngff.encode_commit_record(commit_record)
    data = ngff.encode_json(encoded)
    return create_object(url, entry_key(document.name, document.generation), data)


def publish_documents(store: Store, url: str, ours: CommitRecord) -> CommitRecord:
    """Publish the newest registration of a name, ours or a newer one, which is returned."""
    newest = ours
    while True:
        _make_own_groups(store, url, newest.version)
        _make_image(store, url, newest)
        _put_groups(url, newest)
        last = newest_entries(url).get(newest.document.name, 0)
        if last <= newest.document.generation:
            return newest
        newest = _read(store, newest.document.name, last) or newest


def update_registry(store: Store, url: str, ours: CommitRecord | None = None) -> None:
    """Write the register of names until it holds all that is registered; ours is published already."""
    while True:
        labels = find_group(store, LABELS)
        attributes = attributes_of(labels) if labels is not None else {}
        known = {d.name: d.generation for d in ngff.decode_documents(attributes)}
        pending = {n: g for n, g in newest_entries(url).items() if g > known.get(n, 0)}
        changed = attributes
        for name, generation in pending.items():
            mine = ours is not None and (name, generation) == (ours.document.name, ours.document.generation)
            found = ours if mine else _read(store, name, generation)
            if found is None:
                continue
            if not mine and not _is_published(store, found):
                if not _has_arrays(store, found):
                    continue  # somebody has removed it since
                publish_documents(store, url, found)  # its writer has not come to it: he may have died
            registry = validated(registered(changed, found.document, found.version), LABELS)
            changed = ngff.merge_attributes(changed, registry)
            version = found.version
        if changed == attributes:
            return
        put_group(url, LABELS, version, registry)


def newest_entries(url: str) -> dict[str, int]:
    """The newest generation of each name that is registered."""
    found: dict[str, int] = {}
    for key in list_objects(url, f"{REGISTRY}/"):
        name, number, suffix = [*key.removeprefix(f"{REGISTRY}/").rsplit(".", 2), "", ""][:3]
        if suffix == "json" and number.isdecimal():
            found[name] = max(found.get(name, 0), int(number))
    return found


def is_registered(store: Store, ours: CommitRecord, generation: int) -> bool:
    """Return True if a commit record of the same name holds: somebody may have removed its arrays since.

    Where it names arrays that are ours by now, they were gone when we made them.
    """
    found = _read(store, ours.document.name, generation)
    if found is None or set(_arrays_of(found)) & set(_arrays_of(ours)):
        return False
    return _has_arrays(store, found)


def entry_key(name: str, generation: int) -> str:
    """Key of the object of a registration."""
    return f"{REGISTRY}/{name}.{generation:06d}.json"


def _read(store: Store, name: str, generation: int) -> CommitRecord | None:
    key = entry_key(name, generation)
    document = read_documents(store, [key])[0]
    try:
        found = None if document is None else ngff.decode_commit_record(document)
        if found is not None and (found.document.name, found.document.generation) != (name, generation):
            raise MetadataError(f"it is of {found.document.name!r}, generation {found.document.generation}")
    except MetadataError as error:
        raise MetadataError(f"{store}: {key}: {error}; remove it if ngffseg did not write it") from error
    return found


def _make_own_groups(store: Store, url: str, version: ngff.Version) -> None:
    """Make the groups that the index lies in, with a copy of the schemas."""
    own, index = find_groups(store, [OWN, INDEX], ngff.zarr_format(version))
    known = attributes_of(own) if own is not None else {}
    renewed = with_schemas(known, version)
    if renewed != known:
        put_group(url, OWN, version, renewed)
    if index is None:
        put_group(url, INDEX, version, {})


def _make_image(store: Store, url: str, commit_record: CommitRecord) -> None:
    """Make the image that holds no data, unless another writer has made one."""
    placeholder = commit_record.placeholder
    if placeholder is None:
        return
    root = find_group(store, "")
    if root is not None and "multiscales" in ngff.unwrap(attributes_of(root))[1]:
        return
    made = [create_node(url, path, array) for path, array in placeholder.arrays.items()]
    if not all(made):
        found = "holds other arrays"
    elif root is not None:
        put_group(url, "", commit_record.version, placeholder.attributes)
        return
    elif create_group(url, "", commit_record.version, placeholder.attributes):
        return
    else:
        found = "holds another group"
    image_group = find_image_group(store, url)
    if image_group is None or image_group.multiscales is None:
        raise MetadataError(f"{url} {found}, but no multiscales that name it: repair the image first")


def _put_groups(url: str, commit_record: CommitRecord) -> None:
    # An index before its labels: whoever finds the labels finds it too.
    for name, attributes in commit_record.indices.items():
        put_group(url, f"{INDEX}/{name}", commit_record.version, attributes)
    for name, attributes in commit_record.labels.items():
        put_group(url, f"{LABELS}/{name}", commit_record.version, attributes)


def _is_published(store: Store, commit_record: CommitRecord) -> bool:
    """Return True if the groups of all label images of a commit record are there."""
    paths = [f"{LABELS}/{name}" for name in commit_record.labels]
    return None not in find_groups(store, paths, ngff.zarr_format(commit_record.version))


def _has_arrays(store: Store, commit_record: CommitRecord) -> bool:
    paths = _arrays_of(commit_record)
    return None not in find_arrays(store, paths, ngff.zarr_format(commit_record.version))


def _arrays_of(commit_record: CommitRecord) -> list[str]:
    """Paths of the arrays of all levels of a registration."""
    labels = {name: ngff.decode_label(attributes) for name, attributes in commit_record.labels.items()}
    return [
        f"{LABELS}/{name}/{path}"
        for name, label in labels.items()
        if label is not None
        for path in label.arrays
    ]
