"""What other programs write of images with channels and time, and labels beside them: run in their environments.

``layouts.py PEER write FOLDER VERSION`` makes a store of each layout that the program has, and prints what it reads.
``layouts.py PEER read FOLDER`` opens them and prints, per store and image, digests, axes, scale and channels.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

SIZES = {"t": 2, "c": 3, "z": 4, "y": 40, "x": 36}
SCALE = {"t": 2.5, "c": 1.0, "z": 2.0, "y": 0.5, "x": 0.25}
UNITS = {"t": "second", "z": "micrometer", "y": "micrometer", "x": "micrometer"}


def named(layout):
    """Axes of a layout, and its shape; a 1 says that the axis before it is one long, as in "tc1zyx"."""
    axes = [letter for letter in layout if letter != "1"]
    return "".join(axes), tuple(1 if f"{a}1" in layout else SIZES[a] for a in axes)


def image(layout):
    """Intensities that differ along all axes."""
    shape = named(layout)[1]
    return (np.arange(np.prod(shape)) * 7 % 1009).astype("uint16").reshape(shape)


def labels(layout):
    """Labels in blocks, others at each time point."""
    axes, shape = named(layout)
    at = dict(zip(axes, np.indices(shape), strict=True))
    zero = np.zeros(shape, int)
    return ((at.get("z", zero) + at["y"] // 9 + at["x"] // 11 + at.get("t", zero)) % 6).astype("uint32")


def digest(array):
    """Digest of an array of integers, whatever their width, and its shape."""
    whole = np.ascontiguousarray(np.asarray(array), dtype="uint64")
    return [list(whole.shape), hashlib.sha256(whole.tobytes()).hexdigest()]


def channels():
    """Three channels in the words of omero."""
    window = {"start": 10.0, "end": 900.0, "min": 0.0, "max": 1008.0}
    rows = zip(("dapi", "gfp", "cy5"), ("0000FF", "00FF00", "FF0000"), strict=True)
    return [{"label": label, "color": color, "active": True, "window": window} for label, color in rows]


class OmeZarr:
    """ome-zarr-py of any version."""

    # The axes of an image, and of its labels.
    layouts = (("czyx", "zyx"), ("tczyx", "zyx"), ("tczyx", "tzyx"), ("tczyx", "tc1zyx"))

    def write(self, folder, version, picture, theirs):
        import ome_zarr.format
        import zarr
        from ome_zarr.io import parse_url
        from ome_zarr.writer import write_image, write_labels

        fmt = ome_zarr.format.format_from_version(version)
        omero = {"channels": channels(), "id": 1, "rdefs": {"model": "color"}}
        old = zarr.__version__.startswith("2")
        if old:
            group = zarr.group(store=parse_url(folder, mode="w", fmt=fmt).store)
        else:
            group = zarr.open_group(folder, mode="w", zarr_format=2 if version == "0.4" else 3)
        place = self.place_in_old if old else self.place
        if not old:
            from ome_zarr_models.common.omero import Omero
        further = {} if old else {"omero": Omero.model_validate(omero)}
        write_image(
            image(picture), group, axes=named(picture)[0], fmt=fmt, **place(named(picture)[0]), **further
        )
        if old:
            group.attrs["omero"] = omero
        axes = named(theirs)[0]
        write_labels(labels(theirs), group, name="cells", axes=axes, fmt=fmt, **place(axes))

    def place(self, axes):
        return {
            "scale": {axis: SCALE[axis] for axis in axes},
            "axes_units": {axis: UNITS[axis] for axis in axes if axis in UNITS},
        }

    def place_in_old(self, axes):
        # Planes alone are made smaller, four times.
        levels = [[SCALE[axis] * (2**k if axis in "yx" else 1) for axis in axes] for k in range(5)]
        return {"coordinate_transformations": [[{"type": "scale", "scale": level}] for level in levels]}

    def read(self, folder):
        from ome_zarr.io import parse_url
        from ome_zarr.reader import Reader

        found = {}
        for node in (n for n in Reader(parse_url(folder))() if n.data):
            told = node.metadata
            name = Path(str(node.zarr.basename())).name
            found["" if name == Path(folder).name else name] = {
                "data": digest(node.data[0]),
                "axes": "".join(axis["name"] for axis in told["axes"]),
                "levels": [list(level.shape) for level in node.data],
                "scale": told["coordinateTransformations"][0][0]["scale"],
                "channels": told.get("channel_names"),
            }
        return found


class NgffZarr:
    """ngff-zarr, which does not register labels."""

    layouts = (("czyx", "zyx"), ("tczyx", "zyx"))

    def write(self, folder, version, picture, theirs):
        import ngff_zarr as nz

        made = (
            (folder, picture, image, nz.Methods.ITKWASM_GAUSSIAN),
            (f"{folder}/labels/cells", theirs, labels, nz.Methods.ITKWASM_LABEL_IMAGE),
        )
        for path, axes, data, method in made:
            one = nz.to_ngff_image(
                data(axes),
                dims=list(axes),
                scale={axis: SCALE[axis] for axis in axes if axis != "c"},
                axes_units={axis: UNITS[axis] for axis in axes if axis != "c"},
            )
            levels = nz.to_multiscales(one, scale_factors=[2], method=method)
            nz.to_ngff_zarr(path, levels, version=version)

    def read(self, folder):
        import ngff_zarr as nz

        inside = Path(folder, "labels")
        names = sorted(path.name for path in inside.iterdir() if path.is_dir())
        found = {}
        for name, path in (("", folder), *((name, str(inside / name)) for name in names)):
            images = nz.from_ngff_zarr(path).images
            found[name] = {
                "data": digest(images[0].data),
                "axes": "".join(images[0].dims),
                "levels": [list(level.data.shape) for level in images],
                "scale": [images[0].scale[axis] for axis in images[0].dims],
            }
        return found


class Ngio:
    """ngio, whose `derive_label` drops channels."""

    layouts = tuple(
        (axes, axes.replace("c", ""))
        for axes in ("yx", "cyx", "zyx", "czyx", "cz1yx", "tyx", "tcyx", "tzyx", "tczyx")
    )

    def write(self, folder, version, picture, theirs):
        import ngio

        container = ngio.create_ome_zarr_from_array(
            folder,
            image(picture),
            pixelsize=(SCALE["y"], SCALE["x"]),
            z_spacing=SCALE["z"],
            time_spacing=SCALE["t"],
            axes_names=named(picture)[0],
            channels_meta=[channel["label"] for channel in channels()] if "c" in picture else None,
            levels=2,
            ngff_version=version,
        )
        made = container.derive_label("cells")
        made.set_array(labels(theirs))
        made.consolidate()
        container.add_table("rois", container.build_image_roi_table())

    def read(self, folder):
        import ngio

        container = ngio.open_ome_zarr_container(folder)
        images = {"": container.get_image(), **{n: container.get_label(n) for n in container.list_labels()}}
        found = {
            name: {
                "data": digest(one.get_array()),
                "axes": "".join(one.axes),
                "scale": [getattr(one.pixel_size, axis, 1.0) for axis in one.axes],
                "units": [one.space_unit, one.time_unit],
            }
            for name, one in images.items()
        }
        found[""]["channels"] = container.channel_labels
        found[""]["rois"] = len(container.get_table("rois").rois())
        return found


class Bioio:
    """bioio-ome-zarr, which writes images alone, of five axes."""

    layouts = (("tczyx", None), ("tc1zyx", None))

    def write(self, folder, version, picture, _theirs):
        from bioio_ome_zarr.writers import Channel, OMEZarrWriter

        axes, shape = named(picture)
        OMEZarrWriter(
            store=folder,
            level_shapes=[shape, (*shape[:-2], *(n // 2 for n in shape[-2:]))],
            dtype="uint16",
            channels=[Channel(label=c["label"], color=c["color"]) for c in channels()[: shape[1]]],
            axes_units=[UNITS.get(axis) for axis in axes],
            physical_pixel_size=[SCALE[axis] for axis in axes],
            zarr_format=2 if version == "0.4" else 3,
        ).write_full_volume(image(picture))

    def read(self, folder):
        from bioio_ome_zarr import Reader

        inside = Path(folder, "labels")
        names = [p.name for p in inside.iterdir() if p.is_dir()] if inside.is_dir() else []
        found = {}
        for name, path in (("", folder), *((name, str(inside / name)) for name in names)):
            opened = Reader(path)
            found[name] = {
                "data": digest(opened.data),
                "axes": opened.dims.order.lower(),
                "scale": [getattr(opened.scale, axis.upper()) for axis in opened.dims.order],
                "levels": list(opened.resolution_levels),
                "channels": opened.channel_names,
            }
        return found


PEERS = {"ome-zarr": OmeZarr, "ngff-zarr": NgffZarr, "ngio": Ngio, "bioio": Bioio}


def stores(folder, peer):
    """The stores of a program, by their layout."""
    return {pair: str(Path(folder, f"{'-'.join(filter(None, pair))}.zarr")) for pair in peer.layouts}


if __name__ == "__main__":
    program, action, place, *number = sys.argv[1:]
    known = PEERS[program.split("-0.")[0].removesuffix("-old")]()
    for (picture, theirs), store in stores(place, known).items():
        if action == "write":
            known.write(store, number[0], picture, theirs)
    print(json.dumps({Path(store).name: known.read(store) for store in stores(place, known).values()}))
