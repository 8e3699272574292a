"""The napari plugin: stores open as layers, and what is painted goes back; see ``napari.yaml``.

Nothing here imports napari before one of its functions is called, as napari asks of its plugins.
"""
