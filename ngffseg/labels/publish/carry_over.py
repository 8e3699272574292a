"""What others keep in a label image that is replaced as a whole: it goes over to the new one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import zarr

from ngffseg import ngff
from ngffseg.labels.nodes.find import attributes_of
from ngffseg.labels.nodes.group_document import put_group
from ngffseg.labels.registry.references import index_paths, level_paths
from ngffseg.store import folder_names, folder_number, put_object, read_objects, share

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
    path, known = there.path, attributes_of(there)
    ours = {named.split("/")[0] for named in (*level_paths(known), *index_paths(known))}
    for name in sorted(folder_names(url, path)):
        old, new = f"{path}/{name}", f"{staged}/{name}"
        if name in DOCUMENTS:
            put_object(url, new, read_objects(url, [old])[0] or b"")
        elif name not in ours and folder_number(url, new) is None:
            share(url, old, new)
    put_group(url, staged, version, attributes)
