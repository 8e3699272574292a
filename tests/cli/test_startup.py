"""What a verb imports: exact facts, since seconds depend on the machine."""

import subprocess
import sys

import numpy as np
import pytest

from ngffseg import Segment, write_labels

# Libraries that take a tenth of a second or more, or that a verb on a small local store has no use for.
COMPILERS = {"numba", "llvmlite"}
DASK = {"dask", "distributed"}
CLIENTS = {"s3fs", "aiobotocore", "botocore", "aiohttp", "obstore"}
VIEWERS = {"napari", "matplotlib", "neuroglancer", "scipy", "pandas", "ome_zarr", "nibabel", "skimage"}
STORES = {"zarr", "numpy", "numcodecs", "fsspec", "jsonschema", "rich"}
ALL = COMPILERS | DASK | CLIENTS | VIEWERS | STORES
VERB = "from ngffseg.cli.main import run; code = run(sys.argv[1:])"
OPEN = "import ngffseg; image = ngffseg.open_labels(sys.argv[1]); code = 0"
FOUND = "sys.stderr.write('\\n' + ' '.join({m.split('.')[0] for m in sys.modules})); sys.exit(code)"


def loaded(code, *words):
    """Run a program in a new process; which of the libraries it has imported."""
    program = [sys.executable, "-c", f"import sys; {code}; {FOUND}", *map(str, words)]
    done = subprocess.run(program, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return ALL & set(done.stderr.rpartition("\n")[2].split())


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    labels = np.zeros((16, 16, 16), "uint8")
    labels[2:9, 2:9, 2:9] = 1
    url = tmp_path_factory.mktemp("startup") / "a.zarr"
    write_labels(url, labels, name="a", segments=[Segment(1, "one")], chunks=8)
    return url


@pytest.mark.parametrize("word", ["--help", "--version"])
def test_words_of_the_program_itself_need_no_library(word):
    assert loaded(VERB, word) == set()


@pytest.mark.parametrize("verb", ["info", "segments", "check"])
def test_verbs_that_read_metadata_need_zarr_the_schemas_and_tables_alone(verb, store):
    assert loaded(VERB, verb, store) == STORES


def test_voxels_are_read_without_numba_and_dask(store):
    assert loaded(f"{OPEN}; image.read([(0, 9)] * 3)", store) == STORES - {"rich"}


def test_a_level_is_an_array_of_dask_when_it_is_asked_for(store):
    found = loaded(f"{OPEN}; image.levels", store)
    assert (found & COMPILERS, found & DASK) == (set(), {"dask"})


def test_numba_comes_with_the_first_call_of_a_kernel():
    ready = "import numpy as np; from ngffseg.pyramid import downsample; code = 0"
    assert loaded(ready) & (COMPILERS | DASK) == set()
    called = f"{ready}; downsample(np.zeros((4, 4), 'uint8'), (2, 2))"
    assert loaded(called) & (COMPILERS | DASK) == COMPILERS


def test_nothing_is_collected_at_the_end():
    told = "atexit.register(lambda: sys.stderr.write(str(gc.get_freeze_count() > 0)))"
    program = f"import atexit, gc, sys; {told}; from ngffseg.cli.main import main; main(['--version'])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "True")
