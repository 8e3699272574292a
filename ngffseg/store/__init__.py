"""Where stores are: the only room that knows paths, URLs, credentials and the local disk."""

from ngffseg.store.disk import can_exchange, check_free, exchange, locked, move, remove
from ngffseg.store.failure import store_errors
from ngffseg.store.url import can_list, local_path, normalized, open_store, store_can_list

__all__ = [
    "can_exchange",
    "can_list",
    "check_free",
    "exchange",
    "local_path",
    "locked",
    "move",
    "normalized",
    "open_store",
    "remove",
    "store_can_list",
    "store_errors",
]
