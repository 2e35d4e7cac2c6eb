"""The recording of a push: the committed picture is what a push looks like today."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "docs/_static/push.svg"


def test_the_recording_says_what_a_push_says_today() -> None:
    """If this fails and the new words are meant: tools/record, and look at the picture."""
    ended = subprocess.run(
        [sys.executable, ROOT / "tools/record", "--check"], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr


def test_the_picture_shows_the_end_where_nothing_plays_it() -> None:
    root = ElementTree.parse(PICTURE).getroot()
    last = [each for each in root.iter() if "last" in (each.get("class") or "").split()]
    said = " ".join("".join(each.itertext()) for each in last)
    assert re.search(r"otaflash push .* runs version 1\.1\.0 .*, confirmed\.", said)


def test_the_same_push_makes_the_same_picture() -> None:
    code = "import runpy; print(runpy.run_path('tools/record')['picture']())"
    made = {
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    assert len(made) == 1
    assert "</svg>" in made.pop()


def test_the_picture_asks_nothing_of_the_network() -> None:
    assert re.findall(r"(?:href|src)=|url\(|@import", PICTURE.read_text()) == []
