"""Damaged files: whatever bytes change, what comes out is a value or one clear line."""

import contextlib
import gzip
import warnings
from pathlib import Path

import nibabel as nib
import pytest
import slicerio
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from ngffseg.errors import NgffsegError
from ngffseg.formats import read_segmentation, read_volume
from tests.examples import examples

SLICER = (Path(slicerio.__file__).parent / "data" / "SegmentationOverlapping.seg.nrrd").read_bytes()
NIFTI = gzip.decompress((Path(nib.__file__).parent / "tests" / "data" / "example4d.nii.gz").read_bytes())
UNITS = (
    b"NRRD0005\ntype: uint8\ndimension: 3\nspace dimension: 3\nsizes: 2 2 2\nspace directions: ( 2,0,0 ) (0,2,0) (0,0,2)\n"
    b'space units: "um" "um" "um"\nspace origin: (1,2,3)\nbyte skip: 0\nencoding: ASCII\n\n0 1 2 3 4 5 6 7\n'
)
FILES = {
    ".seg.nrrd": (SLICER, SLICER.find(b"\n\n") + 2),
    ".nrrd": (UNITS, UNITS.find(b"\n\n") + 2),
    ".nii": (NIFTI, 416),
}

places = st.integers(0, 2**16)
changes = st.lists(
    st.one_of(
        st.tuples(st.just("set"), places, st.binary(min_size=1, max_size=2)),
        st.tuples(st.just("cut"), places, st.integers(1, 20)),
        st.tuples(st.just("insert"), places, st.binary(min_size=1, max_size=9)),
    ),
    min_size=1,
    max_size=4,
)


@pytest.mark.parametrize("suffix", FILES)
@pytest.mark.parametrize("read", [read_segmentation, read_volume])
@examples(25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=changes)
def test_a_damaged_header(suffix, read, drawn, tmp_path, capfd):
    whole, header = FILES[suffix]
    damaged = bytearray(whole)
    for kind, place, what in drawn:
        at = place % header
        if kind == "set":
            damaged[at : at + len(what)] = what
        elif kind == "cut":
            del damaged[at : at + what]
        else:
            damaged[at:at] = what
    file = tmp_path / f"damaged{suffix}"
    file.write_bytes(bytes(damaged))
    said = ""
    with warnings.catch_warnings(), contextlib.suppress(NgffsegError):
        warnings.simplefilter("ignore")  # numpy may warn of overflows in a damaged matrix
        try:
            read(file)
        except NgffsegError as error:
            said = str(error)
            raise
    assert "\n" not in said
    assert capfd.readouterr().err == ""
