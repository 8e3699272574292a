"""Where stores are: the only room that knows paths, URLs, credentials and the local disk."""

from ngffseg.store.address import can_list, local_path, normalized
from ngffseg.store.disk import can_exchange, check_free, exchange, locked, move
from ngffseg.store.failure import store_errors
from ngffseg.store.meter import Meter, metered
from ngffseg.store.objects import create_object, list_objects, remove
from ngffseg.store.requests import all_of
from ngffseg.store.url import check_writable, open_store, store_can_list

__all__ = [
    "Meter",
    "all_of",
    "can_exchange",
    "can_list",
    "check_free",
    "check_writable",
    "create_object",
    "exchange",
    "list_objects",
    "local_path",
    "locked",
    "metered",
    "move",
    "normalized",
    "open_store",
    "remove",
    "store_can_list",
    "store_errors",
]
