"""Where stores are: the only room that knows paths, URLs, credentials and the local disk."""

from typing import TYPE_CHECKING

from ngffseg.face import lazy_face

if TYPE_CHECKING:
    from ngffseg.store.address import can_list, local_path, normalized, split_archive
    from ngffseg.store.client import ObjectInfo
    from ngffseg.store.containment import checked_path, follow_links, inside, is_inside
    from ngffseg.store.disk import (
        can_exchange,
        check_free,
        exchange,
        flushed,
        folder_number,
        has_metadata,
        locked,
        move,
    )
    from ngffseg.store.failure import store_errors
    from ngffseg.store.kept_object import preserve, share
    from ngffseg.store.lease import Lease, await_lease, take_lease
    from ngffseg.store.meter import Meter, metered
    from ngffseg.store.objects import (
        Where,
        create_object,
        folder_names,
        list_objects,
        make_folder,
        object_size,
        place_of,
        put_object,
        read_objects,
        remove,
    )
    from ngffseg.store.requests import all_of
    from ngffseg.store.url import (
        archive_of,
        check_writable,
        is_own_store,
        open_store,
        store_can_list,
        store_url,
    )
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "address": "can_list local_path normalized split_archive",
            "client": "ObjectInfo",
            "containment": "checked_path follow_links inside is_inside",
            "disk": "can_exchange check_free exchange flushed folder_number has_metadata locked move",
            "failure": "store_errors",
            "kept_object": "preserve share",
            "lease": "Lease await_lease take_lease",
            "meter": "Meter metered",
            "objects": "Where create_object folder_names list_objects make_folder object_size place_of put_object read_objects remove",
            "requests": "all_of",
            "url": "archive_of check_writable is_own_store open_store store_can_list store_url",
        },
    )

__all__ = [
    "Lease",
    "Meter",
    "ObjectInfo",
    "Where",
    "all_of",
    "archive_of",
    "await_lease",
    "can_exchange",
    "can_list",
    "check_free",
    "check_writable",
    "checked_path",
    "create_object",
    "exchange",
    "flushed",
    "folder_names",
    "folder_number",
    "follow_links",
    "has_metadata",
    "inside",
    "is_inside",
    "is_own_store",
    "list_objects",
    "local_path",
    "locked",
    "make_folder",
    "metered",
    "move",
    "normalized",
    "object_size",
    "open_store",
    "place_of",
    "preserve",
    "put_object",
    "read_objects",
    "remove",
    "share",
    "split_archive",
    "store_can_list",
    "store_errors",
    "store_url",
    "take_lease",
]
