"""tools/mutants: what it says of a mutant that is caught, of one that is not, and of one that says nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHECK_VALUE = "tests/wire/test_crc.py::test_the_crc_of_the_digits_is_the_published_check_value"
MASKED = 'return zlib.crc32(data, before)"\nreplace = "return zlib.crc32(data, before)'
"""Of `crc32`: what a change puts in place of what."""


def mutants(folder: Path, change: str, tests: str = CHECK_VALUE) -> subprocess.CompletedProcess[str]:
    """Runs the tool on one mutant, called `it`, of otaflash/wire/crc.py unless `change` names another file."""
    file = "" if "file =" in change else 'file = "otaflash/wire/crc.py"\n'
    (folder / "it.toml").write_text(f'why = "a try"\ntests = ["{tests}"]\n\n[[change]]\n{file}{change}\n')
    command = [sys.executable, str(ROOT / "tools" / "mutants"), "--json", "--folder", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_mutant_that_a_test_fails_for_is_caught_by_that_test(tmp_path: Path) -> None:
    done = mutants(tmp_path, f'find = "{MASKED} & 0xFFFF"')
    event, result = (json.loads(line) for line in done.stdout.splitlines())
    assert event == {"v": 1, "event": "mutant", "name": "it", "caught": True, "by": CHECK_VALUE}
    assert (result["event"], result["ok"], result["code"], result["mutants"], result["caught"]) == (
        "result",
        True,
        0,
        1,
        1,
    )
    assert done.returncode == 0


def test_a_mutant_that_no_test_fails_for_ends_with_1(tmp_path: Path) -> None:
    done = mutants(tmp_path, f'find = "{MASKED} + 0"')
    event, result = (json.loads(line) for line in done.stdout.splitlines())
    assert (event["caught"], event["by"]) == (False, None)
    assert (result["ok"], result["code"], result["caught"]) == (False, 1, 0)
    assert done.returncode == 1


UNUSABLE = {
    "an anchor that is gone": ('find = "crc64"\nreplace = "crc32"', CHECK_VALUE, "has 0 places like 'crc64'"),
    "an anchor that stands twice": ('find = "import"\nreplace = ""', CHECK_VALUE, "places like 'import'"),
    "Python that is none": ('find = "import zlib"\nreplace = "import import"', CHECK_VALUE, "SyntaxError"),
    "a module that fails": ('find = "import zlib"\nreplace = "import zlib_"', CHECK_VALUE, "ModuleNotFoundError"),
    "a test that is not there": (f'find = "{MASKED} & 1"', f"{CHECK_VALUE}_", "the right code"),
    "a field that is not known": (f'find = "{MASKED} & 1"\nby = ""', CHECK_VALUE, "it.toml"),
}


@pytest.mark.parametrize("what", UNUSABLE)
def test_what_says_nothing_of_the_tests_ends_with_2_and_is_not_called_caught(what: str, tmp_path: Path) -> None:
    change, tests, told = UNUSABLE[what]
    done = mutants(tmp_path, change, tests)
    assert told in done.stderr
    assert "caught" not in done.stdout
    assert done.returncode == 2


@pytest.mark.slow
def test_c_that_does_not_compile_catches_nothing(tmp_path: Path) -> None:
    change = 'file = "firmware/core/bytes.c"\nfind = "#include \\"state.h\\""\nreplace = "#include \\"stat.h\\""'
    done = mutants(tmp_path, change, "tests/firmware/test_windows.py")
    assert "stat.h" in done.stderr
    assert (done.stdout, done.returncode) == ("", 2)


def test_a_name_that_is_not_in_the_catalogue_is_told() -> None:
    command = [sys.executable, str(ROOT / "tools" / "mutants"), "no_such"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stderr, done.returncode) == ("no mutant is called no_such\n", 2)
