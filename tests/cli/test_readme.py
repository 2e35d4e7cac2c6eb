"""The README: every command in it works."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.cli.running import ROOT, otaflash

README = (ROOT / "README.md").read_text()
COMMANDS = re.findall(r"^    otaflash (.*?)(?:\s+#.*)?$", README, re.MULTILINE)

MEASURES = (["bench", "link"], ["bench", "ble"], ["bench", "scale"])
"""They have tests of their own; scale judges the machine, too."""


def test_the_commands_of_the_readme_work_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OTAFLASH_PORT", f"sim:atmega328p?state={tmp_path / 'default.bin'}")
    (tmp_path / "firmware").symlink_to(ROOT / "firmware")
    ran = 0
    for command in COMMANDS:
        words = shlex.split(command)
        if words[-1] == "&" or "/dev/pts/N" in words or words[:2] in MEASURES or words == ["revert"]:
            continue  # a server, its port, what measures, and the other way out of the trial just confirmed
        if "scan" in words or words[-1].startswith("ble:"):
            continue  # a radio: tests/transport/ble has these, over bleak's own backend
        if words[:2] == ["bench", "soak"]:
            words[words.index("--seeds") + 1] = "20"
        if words[:2] == ["bench", "powercut"]:
            words[words.index("--board") + 1] = "tiny1"
        ended = otaflash(*words)
        assert ended.code == 0, (command, ended.err)
        ran += 1
    assert ran >= 8


@pytest.mark.parametrize("place", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_the_links_of_the_readme_lead_somewhere(place: str) -> None:
    assert (ROOT / place).exists()


@pytest.mark.parametrize("folder", sorted(set(re.findall(r"^\| `([^`]+/)`", README, re.MULTILINE))))
def test_the_folders_of_the_map_exist(folder: str) -> None:
    assert (ROOT / folder).is_dir()
