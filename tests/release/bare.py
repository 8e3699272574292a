"""What an environment without extras can do; run by its Python, it prints what it found as JSON.

``python bare.py FOLDER`` asks for each extra, ``python bare.py FOLDER s3://BUCKET/STORE`` uses S3.
"""

import contextlib
import importlib.util
import io
import json
import sys
from pathlib import Path

import numpy as np

import ngffseg
from ngffseg.cli.main import run
from ngffseg.napari_plugin.reader import read
from ngffseg.store import open_store

LABELS = np.arange(4 * 5 * 6, dtype=np.uint64).reshape(4, 5, 6) // 40
LABELS[0, 0, 0] = 2**64 - 1


def call(*words):
    """Exit code and stderr of a call."""
    told = io.StringIO()
    with contextlib.redirect_stderr(told), contextlib.redirect_stdout(io.StringIO()):
        code = run(list(words))
    return code, told.getvalue()


def on_s3(folder, url):
    """Write, read, update, check, import and export through S3; the class of the client that does it."""
    image = ngffseg.write_labels(url, LABELS, name="a", chunks=4)
    ngffseg.update_labels(image, (slice(0, 1),) * 3, np.full((1, 1, 1), 7, np.uint64))
    expected = LABELS.copy()
    expected[0, 0, 0] = 7
    opened = ngffseg.open_labels(url, "a")
    assert np.array_equal(np.asarray(opened.levels[0]), expected)
    for words in (
        ("export", url, f"{folder}/a.seg.nrrd"),
        ("import", f"{folder}/a.seg.nrrd", url, "--name", "b"),
        ("check", url),
        ("segments", url, "--name", "b"),
    ):
        assert call(*words)[0] == 0, words
    client = open_store(url)._client
    return {"client": type(client).__name__}


def without_extras(folder):
    """What is said where an extra is missing, by extra."""
    store, file = f"{folder}/a.ome.zarr", f"{folder}/a.nii.gz"
    ngffseg.write_labels(store, LABELS.astype(np.uint8), name="a")
    Path(file).touch()
    ngffseg.export_segmentation(store, f"{folder}/a.nrrd")
    said = {
        "import": call("import", file, f"{folder}/b.zarr"),
        "image": call("import", f"{folder}/a.nrrd", f"{folder}/b.zarr", "--image", file),
        "export": call("export", store, f"{folder}/b.nii"),
        "picture": call("info", store, "--png", f"{folder}/a.png"),
        "demo": call("demo", f"{folder}/demo"),
        "view": call("view", store, "--no-browser"),
        "screenshot": call("view", store, "--screenshot", f"{folder}/a.png"),
    }
    try:
        read(store)
    except ngffseg.NgffsegError as error:
        said["layers"] = (2, f"ngffseg: {error}\n")
    left = sorted(path.name for path in Path(folder).iterdir())
    return {"said": said, "left": left, "check": call("check", store)}


def main(folder, *urls):
    """Print what was found."""
    libraries = ["nibabel", "matplotlib", "obstore", "slicerio", "napari", "neuroglancer", "playwright"]
    there = [name for name in libraries if importlib.util.find_spec(name) is not None]
    found = on_s3(folder, *urls) if urls else without_extras(folder)
    print(json.dumps({"there": there, "package": str(Path(ngffseg.__file__).parent), **found}))


if __name__ == "__main__":
    main(*sys.argv[1:])
