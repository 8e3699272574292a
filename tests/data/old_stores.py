"""What the stores of `stores_0_1_0.zip` hold, and how ngffseg 0.1.0 made them.

Run as a script by that version, it writes the archive: ``python -m tests.data.old_stores TARGET.zip``. The tests of
later versions open these stores and compare them with the same arrays.
"""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from ngffseg import Geometry, Segment, Segmentation

SHAPE = (20, 36, 28)
LARGE = 2**63 + 5
DAY = (2026, 11, 25, 0, 0, 0)


def blobs(dtype: str, seed: int, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    """Boxes of some labels on background, the last of them the largest that the dtype holds (or 2^63 + 5)."""
    rng = np.random.default_rng(seed)
    values = [*range(1, 7), min(LARGE, int(np.iinfo(dtype).max))]
    labels = np.zeros(shape, dtype)
    for value in values:
        start = [int(rng.integers(0, max(1, n - 6))) for n in shape]
        labels[tuple(slice(s, s + int(rng.integers(2, 12))) for s in start)] = value
    return labels


def grid(shape: tuple[int, ...] = SHAPE) -> Geometry:
    """An axis-aligned grid in millimetres whose numbers are no round ones."""
    affine = np.diag([0.7, 0.9, 2.5, 1.0])
    affine[:3, 3] = -100.1, 20.3, 1 / 3
    return Geometry(shape[-3:], affine, ("z", "y", "x"), ("millimeter",) * 3)


def segments(labels: np.ndarray, layer: int = 0) -> tuple[Segment, ...]:
    """A named, colored segment with properties for each label."""
    values = [int(v) for v in np.unique(labels) if v]
    return tuple(
        Segment(
            v,
            id=f"Segment_{layer}_{n}",
            name=f"part {v}",
            color=(64, 128, 255 - n, 255),
            layer=layer,
            properties={"score": n / 3},
        )
        for n, v in enumerate(values)
    )


def two_layers() -> Segmentation:
    """Overlapping segments."""
    first, second = blobs("uint16", 3), blobs("uint8", 4)
    return Segmentation((first, second), (*segments(first), *segments(second, 1)), grid())


def edited(labels: np.ndarray) -> np.ndarray:
    """The labels of the stores of which a box was updated."""
    changed = labels.copy()
    changed[2:9, 5:20, 7:11] = 3
    return changed


def write_all(folder: Path) -> None:
    """Make every store with the ngffseg that is installed."""
    from ngffseg import export_segmentation, import_segmentation, update_labels, write_labels
    from ngffseg.labels import write_segmentation

    plain = blobs("uint32", 1)
    small = {"chunks": (8, 16, 16), "levels": 3}
    made = write_labels(
        folder / "plain.zarr", plain, name="organs", segments=segments(plain), geometry=grid(), **small
    )
    export_segmentation(folder / "plain.zarr", folder / "organs.seg.nrrd")
    export_segmentation(folder / "plain.zarr", folder / "organs.nii.gz")
    update_labels(made, ((2, 9), (5, 20), (7, 11)), edited(plain)[2:9, 5:20, 7:11])
    write_segmentation(folder / "layers.zarr", two_layers(), name="organs", ngff="0.4", **small)
    wide = blobs("uint64", 5)
    image = np.arange(wide.size, dtype="uint16").reshape(wide.shape)
    write_labels(folder / "image.zarr", wide, name="organs", geometry=grid(), image=image, **small)
    write_labels(folder / "flat.zarr", blobs("uint8", 6, (50, 40)), name="cells", levels=1)
    write_labels(folder / "time.zarr", blobs("int16", 7, (3, 12, 20, 20)), name="cells", ngff="0.4", levels=2)
    import_segmentation(folder / "organs.seg.nrrd", folder / "imported.zarr", name="organs", **small)
    _write_ras(folder / "ras.nrrd", plain)
    import_segmentation(folder / "ras.nrrd", folder / "ras.zarr", name="organs", **small)
    _from_memory(folder / "bucket.zarr", plain, small)
    for what in ("died", "pending"):
        done = subprocess.run([sys.executable, "-m", "tests.data.old_stores", what, folder], check=False)
        assert done.returncode == 9, what


def _write_ras(path: Path, labels: np.ndarray) -> None:
    """A file whose voxels lie from left to right and from behind to the front, in the order in which 0.1.0 kept them."""
    header = (
        "NRRD0004",
        "type: uint32",
        "dimension: 3",
        "space: right-anterior-superior",
        f"sizes: {' '.join(str(n) for n in labels.shape[::-1])}",
        "space directions: (0.7,0,0) (0,0.9,0) (0,0,2.5)",
        "endian: little",
        "encoding: gzip",
        "space origin: (-100.1,20.3,0.1)",
        "",
        "",
    )
    path.write_bytes("\n".join(header).encode() + gzip.compress(labels.astype("<u4").tobytes(), mtime=0))


def _from_memory(target: Path, plain: np.ndarray, small: dict) -> None:
    """A store as it lies in a bucket: written twice, so that it has a registration, and paths of its own."""
    import fsspec

    from ngffseg import write_labels

    for labels in (edited(plain), plain):
        write_labels("memory://old", labels, name="organs", geometry=grid(), overwrite=True, **small)
    memory = fsspec.filesystem("memory")
    for key in memory.find("/old"):
        file = target / key.removeprefix("/old/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(memory.cat(key))


def die(folder: Path) -> None:
    """A store in which a write of another label image has died before it published."""
    from ngffseg import write_labels
    from ngffseg.labels import write_segmentation

    plain = blobs("uint32", 1)
    write_labels(folder / "died.zarr", plain, name="organs", geometry=grid(), levels=3)
    write_segmentation(
        folder / "died.zarr",
        Segmentation((plain,), (), grid()),
        name="other",
        progress=lambda *_: os._exit(9),
    )


def leave_pending(folder: Path) -> None:
    """A store in which an update has died after it was logged, before it changed anything."""
    import ngffseg.labels.edit.update as update
    from ngffseg import write_labels

    plain = blobs("uint32", 1)
    image = write_labels(folder / "pending.zarr", plain, name="organs", geometry=grid(), levels=3)
    update.edit_box = lambda *_: os._exit(9)
    update.update_labels(image, ((2, 9), (5, 20), (7, 11)), edited(plain)[2:9, 5:20, 7:11])


def pack(folder: Path, target: Path) -> None:
    """Put all files into an archive, the same ones into the same archive."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), DAY)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, file.read_bytes())


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["died", where]:
            die(Path(where))
        case ["pending", where]:
            leave_pending(Path(where))
        case [target]:
            with tempfile.TemporaryDirectory() as made:
                write_all(Path(made))
                pack(Path(made), Path(target))
