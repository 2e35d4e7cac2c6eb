"""Parts of the reference in Markdown, each made of what the code itself says."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
from collections.abc import Iterable

from documenting.commands import Described, Row, every_command
from documenting.commands import common_options as common_rows
from otaflash.api import events as told
from otaflash.api.facts import PushResult
from otaflash.config import KEYS, Key
from otaflash.errors import ExitCode, Fault
from otaflash.explained import Page, all_pages


def commands() -> str:
    """Every command: how it is typed, what it does, examples, options."""
    return "\n\n".join(_command(each) for each in every_command())


def _command(each: Described) -> str:
    examples = "".join(f"$ {example}\n" for example in each.examples)
    parts = [
        f"## `{each.name}`",
        f"```text\n{each.name} {each.usage}\n```",
        *(_prose(paragraph) for paragraph in each.paragraphs),
        f"```console\n{examples}```" if examples else "",
        _rows(each.options),
    ]
    return "\n\n".join(part for part in parts if part)


def common_options() -> str:
    """The options that every command takes."""
    return _rows(common_rows())


def exit_codes() -> str:
    """The table of exit codes."""
    return _table(("code", "meaning"), ((str(int(code)), code.meaning) for code in ExitCode))


def configuration() -> str:
    """The table of keys that a configuration may state."""
    rows = (
        (
            f"`{key.name}`",
            _prose(key.meaning.strip().rstrip(",")),
            _values(key),
            _prose(key.default),
            f"`{key.environment}`",
        )
        for key in KEYS.values()
    )
    return _table(("key", "meaning", "for example", "default", "variable"), rows)


def _values(key: Key) -> str:
    limits = "" if key.limits is None else f" ({key.limits[0]:,} to {key.limits[1]:,})"
    return f"`{key.example}`{limits}"


def faults() -> str:
    """The table of whose fault an error can be."""
    return _table(("`fault`", "whose it is"), ((f"`{fault.value}`", fault.whose) for fault in Fault))


def errors() -> str:
    """The catalogue of errors, exit code by exit code; an error of two codes stands at the lower one."""
    parts = []
    for code in ExitCode:
        pages = [page for page in all_pages().values() if min(page.codes) == code]
        if pages:
            parts.append(f"## Exit code {int(code)}: {code.meaning}")
            parts += [_error(page) for page in pages]
    return "\n\n".join(parts)


def _error(page: Page) -> str:
    also = [str(int(code)) for code in sorted(page.codes)[1:]]
    lines = [f"### `{page.reason}`", _prose(page.means)]
    lines.append("**Usual causes**\n\n" + "\n".join(f"- {_prose(cause)}" for cause in page.causes))
    lines.append("**What to do**\n\n" + "\n".join(f"- {_prose(remedy)}" for remedy in page.remedies))
    whose = ", or ".join(fault.whose for fault in page.faults)
    lines.append(f"Whose fault: {whose}." + (f" Exit code {' or '.join(also)} in other commands." if also else ""))
    return "\n\n".join(lines)


def events() -> str:
    """What is told while an update goes on, and its result: fields, types and what they mean."""
    classes = (told.PhaseChanged, told.Progress, told.WarningEvent, PushResult)
    return "\n\n".join(_dataclass(each) for each in classes)


def _dataclass(each: type) -> str:
    comments = _field_comments(each)
    rows = [
        (f"`{field.name}`", f"`{field.type}`".replace("|", "\\|"), comments.get(field.name, ""))
        for field in dataclasses.fields(each)
    ]
    doc = _prose(" ".join((inspect.getdoc(each) or "").split()))
    return f"### `{each.__name__}`\n\n{doc}\n\n{_table(('field', 'type', 'meaning'), rows)}"


def _field_comments(each: type) -> dict[str, str]:
    """The string under a field says what it is."""
    body = ast.parse(inspect.getsource(each).lstrip()).body[0]
    assert isinstance(body, ast.ClassDef)
    found = {}
    for field, comment in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(comment, ast.Expr):
            assert isinstance(comment.value, ast.Constant)
            found[field.target.id] = _prose(" ".join(str(comment.value.value).split()))
    return found


def _rows(rows: Iterable[Row]) -> str:
    return "\n".join(f"`{row.term}`\n: {_prose(row.text)}\n" for row in rows).rstrip()


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _prose(text: str) -> str:
    """Text of the code as Markdown: what would be markup there stands as it is, outside of code."""
    pieces = re.split(r"(`+[^`]+`+)", text)
    return "".join(piece if piece.startswith("`") else re.sub(r"([\\*_<>\[\]|$#])", r"\\\1", piece) for piece in pieces)
