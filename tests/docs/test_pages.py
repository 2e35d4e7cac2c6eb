"""The documentation: every command in it is run, in its order, and says what the page shows."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import click
import pytest
from documenting.site import filled

from otaflash.cli.commands import otaflash as top
from otaflash.image.hexfile import parse_hex
from tests.cli.running import otaflash
from tests.docs.pages import DOCS, PAGES, ROOT, Step, agrees, blocks, steps
from tests.image.elves import Extra, Part, elf

NEEDS = {"takes minutes", "needs a board", "needs a programmer", "needs a radio", "from the network"}
"""What a test has not; a page says so behind the command. Such commands are read, not run."""

ELSEWHERE = {
    "python3 -m venv .venv && . .venv/bin/activate && pip install .": "tests/tools/test_package.py",
    "tools/package": "tests/tools/test_package.py",
}
"""Commands that a test of their own runs."""

LEAVES = dict(top.every_command())
WITH_STEPS = [page for page in PAGES if steps(page)]
MARKED = [(page, step) for page in PAGES for step in steps(page) if step.mark]


def name_of(page: Path) -> str:
    return page.relative_to(DOCS).as_posix()


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout to type in, from which nothing is written into the real one; `otaflash` is on the PATH."""
    program = tmp_path / "bin" / "otaflash"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m otaflash.cli.main "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for each in ("firmware", "tools", "docs", "protocol"):
        (checkout / each).symlink_to(ROOT / each)
    for kind, content in firmware().items():
        (checkout / f"firmware.{kind}").write_bytes(content)
    monkeypatch.setenv("OTAFLASH_PORT", "sim:atmega328p?state=default.bin")
    monkeypatch.chdir(checkout)
    return checkout


def firmware() -> dict[str, bytes]:
    """What a page calls firmware.hex, firmware.elf and firmware.bin: one program, by kind of file."""
    content = (ROOT / "firmware/app/blink/blink-1.1.0.hex").read_bytes()
    program = b"".join(segment.data for segment in parse_hex(content).segments)
    about = Extra(".otaflash", b"version=1.2.0\0board=atmega328p\0")
    return {"hex": content, "elf": elf([Part(0, program)], [about]), "bin": program}


def run(step: Step, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """Exit code and output of one command line, in this process where that is enough."""
    if step.command.startswith("export "):
        name, _, value = step.words[1].partition("=")
        monkeypatch.setenv(name, value)
        return 0, ""
    if step.is_plain:
        ended = otaflash(*step.words[1:])
        return ended.code, ended.out + ended.err
    process = subprocess.run(["bash", "-c", step.command], capture_output=True, text=True, check=False)
    return process.returncode, process.stdout + process.stderr


@pytest.mark.parametrize("page", WITH_STEPS, ids=name_of)
def test_the_commands_of_a_page_do_what_it_shows(page: Path, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for step in steps(page):
        if step.mark or step.command in ELSEWHERE:
            continue
        code, said = run(step, monkeypatch)
        assert code == step.code, f"{step.command}\n{said}"
        assert agrees(step.shown, said), f"{step.command}\nshown:\n{os.linesep.join(step.shown)}\nsaid:\n{said}"


def test_most_commands_of_the_documentation_are_run() -> None:
    everything = [step for page in PAGES for step in steps(page)]
    assert len(everything) >= 30
    assert len(MARKED) < len(everything) / 2
    assert {step.command for step in everything} >= ELSEWHERE.keys()


@pytest.mark.parametrize("place", sorted(set(ELSEWHERE.values())))
def test_what_is_run_elsewhere_is_run_there(place: str) -> None:
    assert "def test_" in (ROOT / place).read_text()


@pytest.mark.parametrize(("page", "step"), MARKED, ids=[f"{name_of(page)}: {step.command}" for page, step in MARKED])
def test_a_command_that_needs_more_says_so_and_could_be_run(page: Path, step: Step) -> None:
    assert step.mark in NEEDS, f"{name_of(page)}: {step.mark}"
    program, *words = step.words
    if program == "otaflash":
        understood(words)
    elif program == "pip":
        extra = re.search(r"\[(\w+)\]", words[-1])
        assert extra is not None
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        assert extra[1] in project["optional-dependencies"]
    else:
        assert program == "avrdude"
        memories = [word.split(":")[0] for before, word in pairwise(words) if before == "-U"]
        assert set(memories) <= {"efuse", "hfuse", "lfuse", "flash", "lock"}


def understood(words: list[str]) -> None:
    """The command exists and takes these options."""
    depth = 2 if isinstance(LEAVES.get((words[0],)), click.Group) else 1
    command = LEAVES[tuple(words[:depth])]
    with command.make_context(words[depth - 1], words[depth:]) as context:
        assert context.args == []


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=name_of)
def test_python_shown_on_a_page_is_python(page: Path) -> None:
    for block in blocks(page, "python"):
        compile(block, name_of(page), "exec")


def test_the_example_of_the_python_page_runs(tmp_path: Path) -> None:
    import otaflash.api  # noqa: PLC0415  its docstring is the page

    (tmp_path / "firmware.hex").write_bytes((ROOT / "firmware/app/blink/blink-1.1.0.hex").read_bytes())
    examples = re.findall(r"(?:^ {4}.*\n|^\n(?= {4}))+", otaflash.api.__doc__ or "", re.MULTILINE)
    code = "\n".join(re.sub(r"^ {4}", "", example, flags=re.MULTILINE) for example in examples)
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "OTAFLASH_STATE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert re.search(r"0\.0\.1 -> 1\.1\.0 in \d+\.\d s", ended.stdout)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_command_of_ours_stands_where_it_is_run(page: Path) -> None:
    """In a block of the kind console; promises.md has a test of its own for its measures."""
    indented = re.findall(r"^ {4}(?:\$ )?otaflash .*$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert indented == [] or name_of(page) == "promises.md"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_tools_that_a_page_names_are_there(page: Path) -> None:
    """Those in blocks that are indented: they measure, build or fuzz, and have tests of their own."""
    text = filled(page, page.read_text(encoding="utf-8"))
    wrong = []
    for line in re.findall(r"^ {4}(tools/\S+.*)$", text, re.MULTILINE):
        program, *words = shlex.split(line, comments=True)
        script = ROOT / program
        if not script.exists() or any(word.startswith("--") and word not in script.read_text() for word in words):
            wrong.append(line)
    assert wrong == []


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q", "-d", tmp_path / "trees"]
    ended = subprocess.run([*command, DOCS, tmp_path / "site"], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    for place in ("index.html", "tutorial.html", "reference/commands.html", "reference/errors.html"):
        assert (tmp_path / "site" / place).exists()


def test_a_link_between_pages_that_leads_nowhere_is_a_warning(tmp_path: Path) -> None:
    """So that the test above would see it."""
    (tmp_path / "conf.py").write_text('extensions = ["myst_parser"]\n')
    (tmp_path / "index.md").write_text("# A page\n\n[astray](/nowhere.md)\n")
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "-q", tmp_path, tmp_path / "out"]
    assert subprocess.run(command, capture_output=True, text=True, check=False).returncode != 0
