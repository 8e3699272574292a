"""A store in the browser: neuroglancer over a server of the loopback device that serves this store alone."""

from typing import TYPE_CHECKING

from ngffseg.face import lazy_face

if TYPE_CHECKING:
    from ngffseg.viewer.screenshot import take_screenshot
    from ngffseg.viewer.viewing import Viewing, open_viewer
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "screenshot": "take_screenshot",
            "viewing": "Viewing open_viewer",
        },
    )

__all__ = ["Viewing", "open_viewer", "take_screenshot"]
