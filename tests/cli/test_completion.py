"""Shells complete verbs, options, values and file names, and nothing slow is imported for it."""

import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from ngffseg.cli.completion import SHELLS
from ngffseg.cli.main import VERBS, main
from tests.cli.completion_table import FILE, table
from tests.test_house import HEAVY

PROGRAMS = Path(sys.executable).parent


def environment(**variables):
    return {**os.environ, "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}", **variables}


def run(words, **variables):
    return subprocess.run(
        words, env=environment(**variables), capture_output=True, text=True, encoding="utf-8", check=False
    )


@pytest.fixture
def ask(monkeypatch, capsys):
    """What the program answers to a shell, without a process."""

    def asked(instruction, words="", at=""):
        monkeypatch.setenv("_NGFFSEG_COMPLETE", instruction)
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", at)
        with pytest.raises(SystemExit) as stop:
            main([])
        captured = capsys.readouterr()
        return stop.value.code, captured.out, captured.err

    return asked


def test_the_table_is_that_of_the_verbs():
    assert FILE.read_text("utf-8") == table(), "run: python -m tests.cli.completion_table"


def completed(*words):
    """What bash completes the last of some words to."""
    # As bash calls it: the variables of a line that is being typed, then the function.
    typed = " ".join(f"'{word}'" for word in words)
    script = f"""
        eval "$(_NGFFSEG_COMPLETE=bash_source ngffseg)"
        complete -p ngffseg >&2
        COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}
        _ngffseg_completion ngffseg; printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = run(["bash", "--norc", "--noprofile", "-c", script])
    assert done.returncode == 0, done.stderr
    assert done.stderr.strip() == "complete -o nosort -F _ngffseg_completion ngffseg"
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["ngffseg", "im"], ["import"]),
        (["ngffseg", "import", "--fo"], ["--force-place"]),
        (["ngffseg", "pyramid", "a.zarr", "--method", "s"], ["sparse"]),
    ],
    ids=["verb", "option", "value"],
)
def test_bash_completes(words, found):
    assert completed(*words) == found


def test_bash_completes_file_names(tmp_path):
    """Only within bash itself: it is told to complete as it does by default."""
    (tmp_path / "case.ome.zarr").mkdir()
    (tmp_path / "rc").write_text(
        'eval "$(_NGFFSEG_COMPLETE=bash_source ngffseg)"\nPS1="$ "\n', encoding="utf-8"
    )
    done = subprocess.run(
        ["bash", "--noprofile", "--rcfile", "rc", "-i"],
        input="ngffseg info ca\t\x01: \n",  # ": " before the line makes it do nothing
        env=environment(TERM="dumb", HISTFILE="", INPUTRC="/dev/null"),
        cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert "ngffseg info case.ome.zarr" in done.stdout + done.stderr


@pytest.mark.parametrize("shell", SHELLS)
def test_the_scripts_of_shells(ask, shell):
    code, script, told = ask(f"{shell}_source")
    assert (code, told) == (0, "")
    assert f"_NGFFSEG_COMPLETE={shell}_complete" in script
    if shutil.which(shell):
        done = run([shell, "-n", "-c" if shell != "fish" else "--command", script])
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("shell", "verb", "option"),
    [
        ("zsh", "plain\nimport\n" + VERBS["import"], "plain\n--force-place\nWrite labels that"),
        ("fish", "plain,import\t" + VERBS["import"], "plain,--force-place\tWrite labels that"),
    ],
    ids=["zsh", "fish"],
)
def test_the_answers_to_zsh_and_fish(ask, shell, verb, option):
    at = {"zsh": ("1", "2"), "fish": ("im", "--fo")}[shell]
    code, told, _ = ask(f"{shell}_complete", "ngffseg im", at[0])
    assert (code, told.strip()) == (0, verb)
    code, told, _ = ask(f"{shell}_complete", "ngffseg import --fo", at[1])
    assert code == 0
    assert told.startswith(option)


@pytest.mark.parametrize("verb", VERBS)
def test_options_of_each_verb_that_are_typed_anyhow(ask, verb):
    _, told, _ = ask("bash_complete", f"ngffseg --debug {verb} --", "3")
    assert {"plain,--help", "plain,--debug"} <= set(told.split())


def test_another_instruction_is_refused(ask):
    code, out, told = ask("tcsh_source")
    assert (code, out) == (2, "")
    assert told == (
        "ngffseg: _NGFFSEG_COMPLETE=tcsh_source: set it to one of bash_source, zsh_source, fish_source, or unset it\n"
    )


@pytest.mark.parametrize(
    ("words", "variables"),
    [
        (["--help"], {}),
        (["--version"], {}),
        ([], {"COMP_WORDS": "ngffseg im", "COMP_CWORD": "1"}),
        ([], {"COMP_WORDS": "ngffseg import --fo", "COMP_CWORD": "2"}),
    ],
    ids=["help", "version", "verb", "option"],
)
def test_what_is_asked_most_often_imports_nothing_slow(words, variables):
    """Under 0.15 s of CPU each; which modules are loaded is counted, since time depends on the machine."""
    code = (
        "import atexit, sys; from ngffseg.cli.main import main\n"
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr)); main()"
    )
    if variables:
        variables = {**variables, "_NGFFSEG_COMPLETE": "bash_complete"}
    done = run([sys.executable, "-c", code, *words], **variables)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    loaded = set(done.stderr.split())
    assert loaded & (set(HEAVY) - {"click"}) == set()
    assert {name for name in loaded if name.startswith("ngffseg.")} == {
        "ngffseg.cli",
        "ngffseg.cli.completion",
        "ngffseg.cli.hints",
        "ngffseg.cli.main",
        "ngffseg.cli.telling",
        "ngffseg.errors",
        "ngffseg.text",
    }


def test_the_package_runs_as_the_command():
    done = run([sys.executable, "-m", "ngffseg", "--version"])
    assert (done.returncode, done.stdout) == (0, f"ngffseg, version {version('ngffseg')}\n")
    done = run([sys.executable, "-m", "ngffseg", "bogus"])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("ngffseg: No such command 'bogus'.")
