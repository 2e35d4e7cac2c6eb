"""The catalogue of seeded bugs: each is caught, and it is told by what."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
NAMES = sorted(path.stem for path in FOLDER.glob("*.toml"))


@pytest.mark.slow
def test_every_bug_of_the_catalogue_is_caught() -> None:
    command = [sys.executable, str(ROOT / "tools" / "mutants"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    *found, result = (json.loads(line) for line in done.stdout.splitlines())
    assert [event["name"] for event in found if not event["caught"]] == [], done.stderr
    assert [event["name"] for event in found] == NAMES, done.stderr
    assert all(event["by"] for event in found)
    assert (result["event"], result["ok"], result["code"], done.returncode) == ("result", True, 0, 0)


def test_the_table_in_the_document_is_what_the_files_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    from mutation.catalogue import all_mutants, with_table  # noqa: PLC0415  # tools is no package

    document = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert with_table(document, all_mutants(FOLDER, [])) == document, "run tools/mutants --write"


def test_the_catalogue_has_bugs_of_every_part_of_the_house() -> None:
    changed = "".join((FOLDER / f"{name}.toml").read_text(encoding="utf-8") for name in NAMES)
    for part in ("firmware/core/", "otaflash/engine/", "otaflash/wire/", "otaflash/image/"):
        assert f'file = "{part}' in changed
