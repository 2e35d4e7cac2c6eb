"""Reads the pages of the documentation as a reader does: its command lines, and what is shown to come of them."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(page for page in DOCS.rglob("*.md") if "examples" not in page.parts)

_BLOCK = re.compile(r"^( *)```(console|python)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_MARK = re.compile(r"\s{2,}# (.+)$")
ELLIPSIS = "…"
"""In what is shown: anything; alone on a line: any lines, or none."""


@dataclass(frozen=True, slots=True)
class Step:
    """A command line, and what the page shows of its output."""

    command: str
    mark: str
    """What it needs that a test has not, as the page tells its readers behind a #; empty: nothing."""
    shown: tuple[str, ...]

    @property
    def words(self) -> list[str]:
        return shlex.split(self.command)

    @property
    def is_plain(self) -> bool:
        """Whether it is one call of otaflash, which needs no shell."""
        quoted = re.sub(r"'[^']*'", "", self.command)
        return self.command.startswith("otaflash ") and not re.search(r"[|&;<>$`]", quoted)

    @property
    def code(self) -> int:
        """The exit code that the shown output tells of."""
        found = re.search(r"^error (\d+) ", "\n".join(self.shown), re.MULTILINE)
        return int(found[1]) if found else 0


def blocks(page: Path, language: str) -> list[str]:
    """The contents of the fenced blocks of one language, also of those within lists."""
    found = _BLOCK.findall(page.read_text(encoding="utf-8"))
    return [dedent(body) for _, kind, body in found if kind == language]


def steps(page: Path) -> list[Step]:
    """All command lines of a page, in order."""
    found: list[Step] = []
    for block in blocks(page, "console"):
        for line in block.splitlines():
            if line.startswith("$ "):
                mark = _MARK.search(line)
                command = _MARK.sub("", line.removeprefix("$ ")).strip()
                found.append(Step(command, mark[1] if mark else "", ()))
            else:
                last = found.pop()
                found.append(Step(last.command, last.mark, (*last.shown, line)))
    return found


def agrees(shown: tuple[str, ...], said: str) -> bool:
    """Whether what a command said is what the page shows of it; how wide the columns of a table are is left open."""
    shown, said = tuple(_narrow(line) for line in shown), _narrow(said)
    pattern = "".join(
        r"(?:.*\n)*?"
        if line.strip() == ELLIPSIS
        else ".*?".join(map(re.escape, line.rstrip().split(ELLIPSIS))) + r"\s*?\n"
        for line in shown
    )
    return not shown or re.fullmatch(pattern, said if said.endswith("\n") else said + "\n") is not None


def _narrow(text: str) -> str:
    return re.sub(" +", " ", text)
