"""What other programs do with a store: run in their environments, where there is no ngffseg.

``programs.py PEER write FOLDER VERSION`` makes a store in the form that the users of the program have.
``programs.py PEER read FOLDER`` opens it and prints as JSON what the program finds: arrays as digests.
``programs.py ngff-zarr orient FOLDER CODES`` makes one whose axes z, y, x grow to these, such as SPL.
``programs.py ngff-zarr places FOLDER`` prints where the voxels of label images lie, as it hands them to ITK.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

SHAPE = (12, 40, 36)


def image():
    """Intensities."""
    return (np.arange(np.prod(SHAPE)) * 7 % 1000).astype("uint16").reshape(SHAPE)


def labels():
    """Five labels in blocks."""
    z, y, x = np.indices(SHAPE)
    return ((z // 5 + y // 9 + x // 11) % 6).astype("uint32")


# Where an axis grows to, in the words of RFC-4.
GROWTH = {
    "L": "right-to-left",
    "R": "left-to-right",
    "P": "anterior-to-posterior",
    "A": "posterior-to-anterior",
    "S": "inferior-to-superior",
    "I": "superior-to-inferior",
}
STEPS = {"z": 2.5, "y": 0.9, "x": 0.7}
# The place of voxel 0: x to the left, y to posterior, z to superior.
START = {"z": -310.25, "y": 40.5, "x": -120.125}


def blocks():
    """Three labels that are whole windows, so that coarser levels have their middles at the same places."""
    made = np.zeros(SHAPE, "uint8")
    made[2:4, 6:8, 10:12] = 1
    made[8:10, 0:2, 30:32] = 2
    made[6:8, 34:36, 2:4] = 3
    return made


def digest(array):
    """Digest of an array of integers, whatever their width."""
    return hashlib.sha256(np.ascontiguousarray(np.asarray(array), dtype="uint64").tobytes()).hexdigest()


class OmeZarr:
    """ome-zarr-py."""

    def write(self, folder, version):
        import ome_zarr.format
        import zarr
        from ome_zarr.io import parse_url
        from ome_zarr.writer import write_image, write_labels

        chosen = ome_zarr.format.format_from_version(version)
        if zarr.__version__.startswith("2"):
            group = zarr.group(store=parse_url(folder, mode="w", fmt=chosen).store)
        else:
            group = zarr.open_group(folder, mode="w", zarr_format=2 if version == "0.4" else 3)
        write_image(image(), group, axes="zyx", fmt=chosen)
        colors = [{"label-value": 1, "rgba": [1, 2, 3, 255]}]
        write_labels(labels(), group, name="cells", axes="zyx", fmt=chosen, label_metadata={"colors": colors})
        group.attrs["my_lab"] = {"operator": "A. B."}

    def read(self, folder):
        import zarr
        from ome_zarr.io import parse_url
        from ome_zarr.reader import Reader

        nodes = [n for n in Reader(parse_url(folder))() if n.data]
        found = {str(n.zarr.basename()): digest(n.data[0]) for n in nodes}
        return {"arrays": found, "my_lab": zarr.open_group(folder, mode="r").attrs["my_lab"]}


class NgffZarr:
    """ngff-zarr, which does not register labels."""

    def write(self, folder, version):
        import ngff_zarr as nz

        for path, data in ((folder, image()), (f"{folder}/labels/cells", labels())):
            scale = {"z": 2.0, "y": 0.5, "x": 0.5}
            one = nz.to_ngff_image(data, dims=["z", "y", "x"], scale=scale)
            levels = nz.to_multiscales(one, scale_factors=[2], method=nz.Methods.DASK_IMAGE_MODE)
            nz.to_ngff_zarr(path, levels, version=version)

    def read(self, folder):
        import ngff_zarr as nz

        names = sorted(path.name for path in Path(folder, "labels").iterdir() if path.is_dir())
        paths = {"": folder, **{name: f"{folder}/labels/{name}" for name in names}}
        opened = {name: nz.from_ngff_zarr(path) for name, path in paths.items()}
        return {
            "arrays": {name: digest(levels.images[0].data) for name, levels in opened.items()},
            "levels": {name: [list(i.data.shape) for i in levels.images] for name, levels in opened.items()},
            "scale": opened[""].images[0].scale,
        }

    def orient(self, folder, codes):
        import dask.array as da
        import ngff_zarr as nz
        from ngff_zarr.rfc4 import AnatomicalOrientation, AnatomicalOrientationValues

        words = {
            axis: AnatomicalOrientation(value=AnatomicalOrientationValues(GROWTH[code]))
            for axis, code in zip("zyx", codes, strict=True)
        }
        units = dict.fromkeys("zyx", "millimeter")
        for path, data in ((folder, image()), (f"{folder}/labels/cells", blocks())):
            one = nz.NgffImage(
                da.from_array(data), ("z", "y", "x"), STEPS, START, axes_units=units, axes_orientations=words
            )
            levels = nz.to_multiscales(one, scale_factors=[2], method=nz.Methods.DASK_IMAGE_MODE)
            nz.to_ngff_zarr(path, levels, version="0.5")

    def places(self, folder):
        import ngff_zarr as nz

        names = [path.name for path in sorted(Path(folder, "labels").iterdir()) if path.is_dir()]
        found = {}
        for name in names:
            opened = nz.from_ngff_zarr(f"{folder}/labels/{name}")
            found[name] = [middles(nz.ngff_image_to_itk_image(level)) for level in opened.images]
        return found


def middles(seen):
    """The middle of the voxels of each label of an image of ITK, in LPS."""
    turn = np.reshape(seen.direction, (3, 3)) @ np.diag(seen.spacing)
    found = {}
    for value in np.unique(seen.data[seen.data > 0]).tolist():
        ijk = np.argwhere(seen.data == value)[:, ::-1].mean(axis=0)
        found[str(value)] = (turn @ ijk + seen.origin).tolist()
    return found


class Ngio:
    """ngio, with tables of its own beside the labels."""

    def write(self, folder, version):
        import ngio

        container = ngio.create_ome_zarr_from_array(
            folder, image(), pixelsize=0.65, z_spacing=2.0, axes_names="zyx", levels=2, ngff_version=version
        )
        made = container.derive_label("cells")
        made.set_array(labels())
        made.consolidate()
        container.add_table("rois", container.build_image_roi_table())

    def read(self, folder):
        import ngio

        container = ngio.open_ome_zarr_container(folder)
        arrays = {name: digest(container.get_label(name).get_array()) for name in container.list_labels()}
        return {
            "arrays": {"": digest(container.get_image().get_array()), **arrays},
            "tables": container.list_tables(),
            "rois": len(container.get_table("rois").rois()),
            "pixel": repr(container.get_image().pixel_size),
        }


class Bioio:
    """bioio-ome-zarr, which writes images alone."""

    def write(self, folder, version):
        from bioio_ome_zarr.writers import OMEZarrWriter

        levels = [SHAPE, tuple(n // 2 for n in SHAPE)]
        OMEZarrWriter(
            store=folder,
            level_shapes=levels,
            dtype="uint16",
            axes_names=["z", "y", "x"],
            axes_types=["space"] * 3,
            axes_units=["micrometer"] * 3,
            physical_pixel_size=[2.0, 0.5, 0.5],
            creator_info={"name": "a microscope"},
            zarr_format=2 if version == "0.4" else 3,
        ).write_full_volume(image())

    def read(self, folder):
        from bioio_ome_zarr import Reader

        opened = Reader(folder)
        return {
            "arrays": {"": digest(opened.get_image_data("ZYX"))},
            "pixel": list(map(float, opened.physical_pixel_sizes)),
            "levels": list(opened.resolution_levels),
        }


class Itk:
    """ITK's writer of OME-Zarr: one level, whose fill value is null."""

    def write(self, folder, _version):
        import itk

        volume = itk.image_from_array(image())
        volume.SetSpacing([0.7, 0.9, 2.5])
        volume.SetOrigin([1.0, 2.0, 3.0])
        itk.imwrite(volume, folder, imageio=itk.OMEZarrNGFFImageIO.New())

    def read(self, folder):
        import itk

        volume = itk.imread(folder, imageio=itk.OMEZarrNGFFImageIO.New())
        return {
            "arrays": {"": digest(itk.array_from_image(volume))},
            "spacing": list(itk.spacing(volume)),
            "origin": list(itk.origin(volume)),
        }


class Spatialdata:
    """spatialdata: labels at the root, with alternative transformations, and a version of its own."""

    def write(self, folder, _version):
        import spatialdata as sd
        from spatialdata.models import Image2DModel, Labels2DModel
        from spatialdata.transformations import Scale

        systems = {"global": Scale([2.0, 2.0], axes=("x", "y")), "other": Scale([3.0, 3.0], axes=("x", "y"))}
        cells = Labels2DModel.parse(labels()[0], dims=("y", "x"), scale_factors=[2], transformations=systems)
        picture = Image2DModel.parse(image()[:3], dims=("c", "y", "x"), scale_factors=[2])
        sd.SpatialData(images={"picture": picture}, labels={"cells": cells}).write(folder)

    def read(self, folder):
        import spatialdata as sd

        opened = sd.read_zarr(folder)
        first = {name: e["scale0"]["image"] for name, e in [*opened.images.items(), *opened.labels.items()]}
        return {
            "arrays": {name: digest(e.data) for name, e in first.items()},
            "systems": sorted(opened.coordinate_systems),
            "places": {n: repr(e.transform) for n, e in first.items()},
        }


PEERS = {
    "ome-zarr": OmeZarr,
    "ome-zarr-old": OmeZarr,
    "ngff-zarr": NgffZarr,
    "ngio": Ngio,
    "bioio": Bioio,
    "itk": Itk,
    "spatialdata": Spatialdata,
}

if __name__ == "__main__":
    match sys.argv[1:]:
        case [peer, "write", place, number]:
            PEERS[peer]().write(place, number)
        case [peer, "orient", place, codes]:
            PEERS[peer]().orient(place, codes)
        case [peer, "places", place]:
            print(json.dumps(PEERS[peer]().places(place)))
        case [peer, "read", place]:
            print(json.dumps(PEERS[peer]().read(place)))
