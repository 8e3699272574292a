"""What others keep in a label image that is replaced as a whole: it goes over to the new one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import zarr

from ngffseg import ngff
from ngffseg.labels.group_document import put_group
from ngffseg.labels.nodes import attributes_of
from ngffseg.labels.standing import index_paths, level_paths
from ngffseg.store import local_path, put_object, share

# Documents of a group in Zarr v3 and v2.
DOCUMENTS = ("zarr.json", ".zgroup", ".zattrs", ".zmetadata")


def carry_over(
    url: str, there: zarr.Group, staged: str, version: ngff.Version, attributes: Mapping[str, Any]
) -> None:
    """Have a group that is going to take the place of another hold what others keep in that one.

    Parameters
    ----------
    url
        Address of a store on the local disk.
    there
        The group that is going to be replaced.
    staged
        Path of the one that was written aside.
    version
        Version of both.
    attributes
        Our attributes of the new one.
    """
    root = local_path(url)
    assert root is not None, url
    path, known = there.path, attributes_of(there)
    ours = {named.split("/")[0] for named in (*level_paths(known), *index_paths(known))}
    for entry in sorted((root / path).iterdir()):
        if entry.name in DOCUMENTS:
            put_object(url, f"{staged}/{entry.name}", entry.read_bytes())
        elif entry.name not in ours and not (root / staged / entry.name).exists():
            share(url, f"{path}/{entry.name}", f"{staged}/{entry.name}")
    put_group(url, staged, version, attributes)
