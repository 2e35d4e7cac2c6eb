"""What the pages of docs/ take from elsewhere, put in while Sphinx reads them: parts generated from the code, and whole
documents that live beside the code they are about.

    <!-- insert: exit-codes -->            becomes what `PARTS` makes
    <!-- document: protocol/PROTOCOL.md -->    becomes that file

Links are made to lead within the site, or to be no links: what a page of the repository links to may have no page here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from documenting import reference

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

PARTS: dict[str, Callable[[], str]] = {
    "commands": reference.commands,
    "common-options": reference.common_options,
    "configuration": reference.configuration,
    "errors": reference.errors,
    "events": reference.events,
    "exit-codes": reference.exit_codes,
    "faults": reference.faults,
}

_INSERT = re.compile(r"^<!-- insert: (\S+) -->$", re.MULTILINE)
_DOCUMENT = re.compile(r"^<!-- document: (\S+) -->$", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[([^\]\n]+)\]\(([^)#\s]+)(#[^)\s]*)?\)")
_COMMENT = re.compile(r"^<!--.*?-->\n?", re.MULTILINE | re.DOTALL)


def fill(app: object, docname: str, source: list[str]) -> None:
    """Sphinx's event source-read: replaces a page's text by the filled one. Raises KeyError for an unknown part."""
    del app
    source[0] = filled(DOCS / f"{docname}.md", source[0])


def show_examples(*event: Any) -> None:
    """Sphinx's event autodoc-process-docstring: what stands indented after an empty line is code, shown as it is."""
    lines: list[str] = event[-1]
    shown: list[str] = []
    for line in lines:
        last = next((each for each in reversed(shown) if each), "")
        if line.startswith("    ") and shown and not shown[-1] and not last.startswith("    "):
            shown += ["::", ""]
        shown.append(line)
    lines[:] = shown


def filled(page: Path, text: str) -> str:
    """The text of `page` with all that it takes from elsewhere."""
    document = _DOCUMENT.search(text)
    if document is not None:
        page = ROOT / document[1]
        text = page.read_text(encoding="utf-8")
    text = _INSERT.sub(lambda found: PARTS[found[1]](), text)
    return _LINK.sub(lambda found: _within_site(page, *found.groups()), _COMMENT.sub("", text))


def pages() -> dict[Path, str]:
    """Which page of the site shows a document of the repository, by the document's path."""
    shown = {path: path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    for path, page in list(shown.items()):
        document = _DOCUMENT.search(path.read_text(encoding="utf-8"))
        if document is not None:
            shown[ROOT / document[1]] = page
    return shown


def _within_site(page: Path, text: str, target: str, anchor: str | None) -> str:
    """A link of `page` that leads to the page of the site that shows its target; what has none is named instead."""
    if "://" in target or target.startswith(("mailto:", "/")):
        return f"[{text}]({target}{anchor or ''})"
    path = Path(os.path.normpath(page.parent / target))
    shown = pages().get(path)
    place = path.relative_to(ROOT).as_posix()
    if shown is not None and "examples" not in shown:
        return f"[{place if text == target else text}](/{shown}{anchor or ''})"
    return f"`{place}`" if text in {target, place, f"`{target}`"} else f"{text} (`{place}`)"
