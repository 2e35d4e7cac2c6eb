"""Which errors the package may raise, read from its source; runs none of it. Helper of the tests beside it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "otaflash"
CLASSES = ("ImageError", "TargetError", "LinkError", "UsageError")


@dataclass(frozen=True, slots=True)
class Raised:
    """One place that makes an error. `kind` is its class; `reason` None: not written there as a text."""

    place: str
    kind: str
    reason: str | None
    codes: frozenset[str] = frozenset()
    faults: frozenset[str] = frozenset()


def raised() -> list[Raised]:
    """Every place of the package."""
    return [found for path in sorted(PACKAGE.rglob("*.py")) for found in raised_in(path)]


def raised_in(path: Path) -> Iterator[Raised]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    module = path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", ".")
    makers = {**_imported(tree), **dict(_makers(tree))}
    for function, call in _calls(tree):
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        if _kind(call):
            maker = call
        elif name in makers:
            maker = makers[name]
        else:
            continue
        if name not in makers and makers.get(function) is call:
            continue  # what a maker is called with says it
        first = call.args[0] if call.args else None
        reason = str(first.value) if isinstance(first, ast.Constant) else None
        yield Raised(f"{module}.{function}", _kind(maker), reason, *_stated(maker))


def _imported(tree: ast.AST) -> dict[str, ast.Call]:
    """Such functions of other modules, by the names under which they are imported."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("otaflash."):
            path = PACKAGE.parent.joinpath(*str(node.module).split(".")).with_suffix(".py")
            there = dict(_makers(ast.parse(path.read_text(encoding="utf-8")))) if path.exists() else {}
            found |= {each.asname or each.name: there[each.name] for each in node.names if each.name in there}
    return found


def _makers(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Functions that make an error of the reason that is their first argument."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.args.args and node.args.args[0].arg == "reason":
            for _, call in _calls(node):
                if _kind(call) and call.args and isinstance(call.args[0], ast.Name) and call.args[0].id == "reason":
                    yield node.name, call


def _calls(tree: ast.AST, function: str = "") -> Iterator[tuple[str, ast.Call]]:
    """Every call with the name of the function that it stands in."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Call):
            yield function, node
        inside = node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else function
        yield from _calls(node, inside)


def _kind(call: ast.Call) -> str:
    """The class of the error that a call makes, or ""; a subclass that is an error of its own counts as its base."""
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    if name in (*CLASSES, "OtaflashError"):
        return name
    is_init = isinstance(call.func, ast.Attribute) and call.func.attr == "__init__"
    own_reason = is_init and bool(call.args) and isinstance(call.args[0], ast.Constant)
    return "OtaflashError" if own_reason and any(word.arg == "remedy" for word in call.keywords) else ""


def _stated(call: ast.Call) -> tuple[frozenset[str], frozenset[str]]:
    """The exit codes and faults that stand in the call, by the names of their members."""
    stated = {word.arg: word.value for word in call.keywords}
    return _members(stated.get("exit_code"), "ExitCode"), _members(stated.get("fault"), "Fault")


def _members(node: ast.expr | None, enum: str) -> frozenset[str]:
    found = ast.walk(node) if node is not None else iter(())
    return frozenset(
        each.attr
        for each in found
        if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id == enum
    )
