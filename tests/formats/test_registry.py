"""Which format reads which file."""

import subprocess
import sys
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from ngffseg.errors import MissingExtraError, UnknownFormatError
from ngffseg.formats import format_of, known_suffixes, registry


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("case.seg.nrrd", "nrrd.seg_nrrd"), ("case.nrrd", "nrrd.nrrd"), ("case.01.nii.gz", "nifti.nifti"), ("a.b.nii", "nifti.nifti"),
        ("CASE.SEG.NRRD", "nrrd.seg_nrrd"), ("x.seg.nrrd.nrrd", "nrrd.nrrd"), (".nii.gz", "nifti.nifti"),
    ],
)  # fmt: skip
def test_the_longest_suffix_wins(name, module):
    assert format_of(name).__name__ == f"ngffseg.formats.{module}"


@pytest.mark.parametrize("name", ["case", "case.gz", "case.mha", "nrrd", "case.nrrd.zip"])
def test_unknown_suffixes_list_the_known_ones(name):
    with pytest.raises(UnknownFormatError, match=r"\.nii\.gz .*\.seg\.nrrd"):
        format_of(name)


def test_a_missing_library_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ngffseg.formats.nifti.nifti", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'ngffseg\[nifti\]'"):
        format_of("a.nii")


def test_third_parties_add_formats(monkeypatch):
    point = EntryPoint(name=".mine", value="tests.formats.conformance", group=registry.GROUP)

    def points(**wanted):
        return EntryPoints([point]).select(**wanted)

    monkeypatch.setattr(registry, "entry_points", points)
    assert ".mine" in known_suffixes()
    assert format_of("a.mine").__name__ == "tests.formats.conformance"


def test_a_format_is_loaded_only_when_it_is_used():
    code = "import sys, ngffseg.formats; sys.exit('nibabel' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
