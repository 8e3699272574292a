"""Stores that other programs have written, and what of theirs is in them."""

import json
import shutil
import warnings
from pathlib import Path

import zarr

SYSTEM = {"name": "yx", "axes": [{"name": n, "type": "space", "unit": "unit"} for n in "yx"]}
AXES = [{"name": "y", "type": "space"}, {"name": "x", "type": "space"}]
OURS = {"multiscales", "image-label", "labels", "version", "ngffseg", "schemas"}
VERSIONS = {"0.5": 3, "0.4": 2}


def scaled(factor, **more):
    return {"type": "scale", "scale": [float(factor)] * 2, **more}


def multiscales(version, paths=("0", "1"), **more):
    datasets = [
        {"path": path, "coordinateTransformations": [scaled(2**n)], "note": f"of level {n}"}
        for n, path in enumerate(paths)
    ]
    told = {"version": "0.4"} if version == "0.4" else {}
    return {**told, "name": "theirs", "axes": AXES, "datasets": datasets, **more}


def put(folder: Path, version, metadata=None, beside=None):
    """Write a group as others do: with white space, keys of their own, and a member that Zarr does not know."""
    folder.mkdir(parents=True, exist_ok=True)
    beside = {"my_tool": {"key": [1, 2.5, None]}, **(beside or {})}
    if version == "0.4":
        (folder / ".zgroup").write_text('{\n  "zarr_format": 2\n}')
        (folder / ".zattrs").write_text(json.dumps({**(metadata or {}), **beside}, indent=2))
        return
    ome = {} if metadata is None else {"ome": {"version": version, "_creator": {"name": "peer"}, **metadata}}
    document = {
        "zarr_format": 3,
        "node_type": "group",
        "attributes": {**ome, **beside},
        "their_extension": {"must_understand": False},
    }
    (folder / "zarr.json").write_text(json.dumps(document, indent=4))


def put_levels(folder: Path, version, dtype="u1", paths=("0", "1"), size=16):
    zarr_format = 2 if version == "0.4" else 3
    for number, path in enumerate(paths):
        made = {"dimension_names": ["y", "x"]} if zarr_format == 3 else {}
        array = zarr.create_array(
            folder / path, shape=(size >> number,) * 2, chunks=(8, 8), dtype=dtype, fill_value=0,
            zarr_format=zarr_format, attributes={"_ARRAY_DIMENSIONS": ["y", "x"]}, **made,
        )  # fmt: skip
        array[:4, :4] = 1


def store_of_others(folder: Path, version, *, image=True, consolidated=()):
    """A store with a label image, whose groups all hold something of others."""
    put(
        folder, version, {"multiscales": [multiscales(version)], "omero": {"channels": []}} if image else None
    )
    if image:
        put_levels(folder, version)
    put(folder / "labels", version, {"labels": ["theirs"]})
    label = {"multiscales": [multiscales(version)], "image-label": {"version": "0.4"}}
    if version == "0.5":
        label["image-label"] = {"their": "key"}
    put(folder / "labels" / "theirs", version, label)
    put_levels(folder / "labels" / "theirs", version)
    put(folder / "tables", version)
    for path in consolidated:
        consolidate(folder / path, version)
    return folder


def consolidate(folder: Path, version):
    for file in folder.rglob("zarr.json"):  # zarr-python opens no group with a member that it does not know
        document = json.loads(file.read_text())
        if document.pop("their_extension", None):
            file.write_text(json.dumps(document))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is not part of the specification of Zarr v3
        zarr.consolidate_metadata(str(folder), zarr_format=2 if version == "0.4" else 3)


def attributes(folder: Path):
    """Attributes of a group, read without the code under test."""
    v3 = folder / "zarr.json"
    return (
        json.loads(v3.read_text())["attributes"]
        if v3.exists()
        else json.loads((folder / ".zattrs").read_text())
    )


def of_others(folder: Path):
    """All that documents of groups hold which is not ours to write, by path."""
    found = {}
    for file in sorted(folder.rglob("*")):
        if (
            file.name not in ("zarr.json", ".zattrs", ".zgroup")
            or "ngffseg" in file.relative_to(folder).parts
        ):
            continue
        document = json.loads(file.read_text())
        if document.get("node_type") == "array" or (file.parent / ".zarray").exists():
            continue
        told = document.get("attributes", document)
        ome = {k: v for k, v in told.pop("ome", {}).items() if k not in OURS}
        rest = {k: v for k, v in told.items() if k not in OURS}
        members = {k: v for k, v in document.items() if k not in ("attributes", "consolidated_metadata")}
        found[str(file.relative_to(folder))] = (ome, rest, members if "attributes" in document else {})
    return found


def tree(folder: Path):
    """Bytes of all files but those of jobs."""
    files = (file for file in folder.rglob("*") if file.is_file())
    return {
        key: file.read_bytes()
        for file in sorted(files)
        if not (key := file.relative_to(folder).as_posix()).partition("ngffseg/jobs/")[1]
    }


def spatialdata_element(folder: Path, version="0.5-dev-spatialdata", outer=None):
    """A label image as spatialdata 0.7.3 writes it: alternatives lead from its voxels to named systems."""
    common = outer or [
        scaled(factor, input=SYSTEM, output={**SYSTEM, "name": name})
        for factor, name in ((2, "global"), (3, "other"))
    ]
    told = {
        "datasets": [
            {"path": "s0", "coordinateTransformations": [scaled(1)]},
            {"path": "s1", "coordinateTransformations": [scaled(2)]},
        ],
        "name": "cells",
        "axes": AXES,
        "coordinateTransformations": common,
    }
    if version == "0.4":
        told["version"] = "0.4"
        put(folder, "0.4", {"multiscales": [told]}, {"spatialdata_attrs": {"version": "0.2"}})
    else:
        put(
            folder,
            "0.5",
            {"version": version, "multiscales": [told]},
            {"spatialdata_attrs": {"version": "0.3"}},
        )
    put_levels(folder, "0.4" if version == "0.4" else "0.5", "u2", ("s0", "s1"))


def spatialdata_store(folder: Path, version="0.5-dev-spatialdata", **more):
    """A store of one label image as spatialdata writes it."""
    base = "0.4" if version == "0.4" else "0.5"
    told = {"version": "0.1" if base == "0.4" else "0.2", "spatialdata_software_version": "0.7.3"}
    put(folder, base, None, {"spatialdata_attrs": told})
    put(folder / "labels", base, {"labels": ["cells"]})
    if base == "0.5":  # its labels group tells no version
        file = folder / "labels" / "zarr.json"
        document = json.loads(file.read_text())
        del document["attributes"]["ome"]["version"]
        file.write_text(json.dumps(document))
    spatialdata_element(folder / "labels" / "cells", version, **more)
    consolidate(folder, base)
    return folder


def copied(folder: Path, target: Path):
    shutil.copytree(folder, target)
    return target
