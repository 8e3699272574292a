"""`Viewing`: neuroglancer's page and our data server on one port of the loopback device."""

from __future__ import annotations

import functools
import os
import secrets
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from ngffseg.errors import MissingExtraError, UsageError
from ngffseg.labels import open_contents
from ngffseg.store import open_store
from ngffseg.viewer.objects import ServedObjects
from ngffseg.viewer.properties import segment_properties
from ngffseg.viewer.server import DocumentHandler, ObjectHandler
from ngffseg.viewer.state import viewer_state

LOOPBACK = "127.0.0.1"
# Layers that are drawn of levels; letters, and what people note down, are not.
SAMPLED = ("image", "segmentation")
# Requests that the store answers at the same time.
THREADS = 32


class Viewing:
    """A viewer that is being served, until it is closed; a context manager.

    Made by `open_viewer`; there can be one per process, as neuroglancer has one server.

    Parameters
    ----------
    address
        What a browser opens; the token in it is what lets people in.
    viewer
        neuroglancer's viewer; it is gone when nobody keeps it.
    close
        Stops the server.
    """

    def __init__(self, address: str, viewer: Any, close: Callable[[], None]) -> None:
        self.address, self.viewer, self._close = address, viewer, close
        self._begun = threading.Event()
        viewer.async_screenshot(self._refine)

    def _refine(self, _: object) -> None:
        """Ask for all that a screen shows, when what `viewer_state` begins with is drawn."""

        def finest(state: Any) -> None:
            """All layers as finely as the screen."""
            for layer in state.layers:
                if layer.type in SAMPLED:
                    layer.layer.cross_section_render_scale = 1

        try:
            # Under its lock: somebody may be moving at the same time.
            self.viewer.shared_state.retry_txn(finest, lock=True)
        finally:
            self._begun.set()

    def close(self) -> None:
        """Stop serving; nothing is left running."""
        self._close()

    def __enter__(self) -> Viewing:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begun(self, seconds: float) -> bool:
        """Wait until a browser that has opened the address shows a first picture of all that is in view."""
        return self._begun.wait(seconds)

    def drawn(self, seconds: float) -> bool:
        """Wait until it has drawn all that is in view, as finely as a screen shows it."""
        if not self.begun(seconds):
            return False
        done = threading.Event()
        self.viewer.async_screenshot(lambda _: done.set())
        return done.wait(seconds)


def open_viewer(
    url: str | os.PathLike[str],
    name: str | None = None,
    *,
    port: int = 0,
    tell: Callable[[Exception], None] = lambda error: None,  # noqa: ARG005
) -> Viewing:
    """Serve a store to browsers of this machine.

    Parameters
    ----------
    url, name
        As in `open_labels`; without a name all that the store holds is shown.
    port
        Port of the loopback device; 0 for any that is free.
    tell
        Called with the error of each request that the store fails.

    Raises
    ------
    MissingExtraError
        If neuroglancer is not installed.
    UsageError
        If the port is in use.
    NgffsegError
        If there is no such store, or it cannot be shown.
    """
    try:
        import neuroglancer
        import neuroglancer.server
    except ImportError as error:
        raise MissingExtraError("the browser needs neuroglancer: pip install 'ngffseg[view]'") from error
    contents = open_contents(url, name)
    images = [image for layers in contents.segmentations for image in layers]
    documents = {
        f"{image.name or 'labels'}/info": functools.cache(partial(segment_properties, image))
        for image in images
    }
    if neuroglancer.is_server_running():
        raise UsageError("a viewer is open in this process: close it first")
    _check_port(port)
    neuroglancer.set_server_bind_address(LOOPBACK, port)
    neuroglancer.server.start()
    threads = ThreadPoolExecutor(THREADS, thread_name_prefix="ngffseg-view")

    def close() -> None:
        """Stop the server and its threads."""
        neuroglancer.stop()
        threads.shutdown(wait=True, cancel_futures=True)

    try:
        server = neuroglancer.server.global_server
        token = secrets.token_urlsafe(24)
        shared = {"threads": threads, "tell": tell}
        objects = ServedObjects(open_store(contents.url, contained=True))
        # Another host than the loopback device is a page elsewhere that tries its name (DNS rebinding).
        server.app.add_handlers(
            r"(127\.0\.0\.1|localhost)",
            [
                (rf"/data/{token}/(.*)", ObjectHandler, {**shared, "objects": objects}),
                (rf"/segments/{token}/(.*)", DocumentHandler, {**shared, "documents": documents}),
            ],
        )
        base = neuroglancer.server.get_server_url()
        state = viewer_state(contents, f"{base}/data/{token}/", f"{base}/segments/{token}/")
        viewer = neuroglancer.Viewer()
        viewer.set_state(state)
    except BaseException:
        close()
        raise
    return Viewing(viewer.get_viewer_url(), viewer, close)


def _check_port(port: int) -> None:
    """Refuse a port that cannot be had, before a server is made that would not come to its end."""
    try:
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((LOOPBACK, port))
    except OSError as error:
        raise UsageError(
            f"port {port} of {LOOPBACK} cannot be used ({error.strerror}): choose another, or none for any"
        ) from error
