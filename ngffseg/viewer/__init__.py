"""A store in the browser: neuroglancer over a server of the loopback device that serves this store alone."""

from ngffseg.viewer.screenshot import take_screenshot
from ngffseg.viewer.viewing import Viewing, open_viewer

__all__ = ["Viewing", "open_viewer", "take_screenshot"]
