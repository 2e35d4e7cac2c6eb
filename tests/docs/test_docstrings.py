"""What is public is documented: every module, class and function says what it is, what it raises, and in which unit."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "otaflash"
MODULES = sorted(PACKAGE.rglob("*.py"))

UNITS = re.compile(
    r"\b(seconds?|ms|milliseconds|microseconds|Hz|baud|bytes|bits|ratio|part|chance|0 to 1|percent|per second|pages|"
    r"time|when|until|how long|dBm|packets|columns)\b|%",
    re.IGNORECASE,
)
"""Words by which a docstring says what a number counts."""

UNIT_IN_NAME = re.compile(r"_(s|ms|us|hz|baud|bytes|bits|ratio|percent|dbm|per_s|share|at|bps)$|^(now|deadline|loss)$")
"""Names that say it by themselves. `now`, `deadline`: seconds of the link's clock, everywhere; `loss`: 0 to 1."""

FORMATS = {
    "image/bundle.py": "docs/bundle.md",
    "sim/ble.py": "Bluetooth Core Specification",
    "transport/xbee.py": "Digi",
    "wire/ble.py": "protocol/messages.toml",
    "wire/cobs.py": "Cheshire and Baker",
    "wire/crc.py": "IEEE 802.3",
    "wire/messages.py": "protocol/messages.toml",
    **{f"image/{path.name}": "Source" for path in (PACKAGE / "image").glob("*file.py")},
}
"""Where a format comes from somewhere, its module says from where."""


@dataclass(frozen=True)
class Thing:
    """A public class or function, and the class around it."""

    path: Path
    name: str
    node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    around: ast.ClassDef | None

    @property
    def doc(self) -> str:
        return ast.get_docstring(self.node) or ""

    @property
    def place(self) -> str:
        return f"{self.path.relative_to(ROOT).as_posix()}:{self.node.lineno}: {self.name}"


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def classes() -> dict[str, ast.ClassDef]:
    return {node.name: node for path in MODULES for node in ast.walk(tree_of(path)) if isinstance(node, ast.ClassDef)}


def bases_of(node: ast.ClassDef) -> list[str]:
    """Names of the classes that it is made of, as they stand there."""
    return [ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in node.bases]


@cache
def promised_by_protocols() -> set[str]:
    """Methods that a protocol documents: what keeps to the protocol need not say it again."""
    return {
        method.name
        for path in MODULES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ClassDef) and "Protocol" in bases_of(node)
        for method in node.body
        if isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)) and ast.get_docstring(method)
    }


def overrides(thing: Thing) -> bool:
    """Whether a base class, ours or another's, has a method of that name."""
    todo = [] if thing.around is None else bases_of(thing.around)
    while todo:
        base = classes().get(todo.pop())
        if base is None:
            continue
        if any(isinstance(part, ast.FunctionDef) and part.name == thing.node.name for part in base.body):
            return True
        todo += bases_of(base)
    return thing.node.name in promised_by_protocols()


def public(path: Path) -> list[Thing]:
    return list(things(path, tree_of(path).body, "", None))


def things(path: Path, body: list[ast.stmt], prefix: str, around: ast.ClassDef | None) -> Iterator[Thing]:
    for node in body:
        if not isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) or node.name.startswith("_"):
            continue
        if any(ast.unparse(decorator).endswith((".setter", "overload")) for decorator in node.decorator_list):
            continue
        yield Thing(path, prefix + node.name, node, around)
        if isinstance(node, ast.ClassDef):
            yield from things(path, node.body, f"{prefix}{node.name}.", node)


def is_command(thing: Thing) -> bool:
    """A command's docstring is its help: what it raises becomes an exit code."""
    return any("command" in ast.unparse(decorator) for decorator in thing.node.decorator_list)


def raised_by(thing: Thing) -> set[str]:
    """Names of the exception classes that it raises itself; a helper that makes one stands for what it returns."""
    assert not isinstance(thing.node, ast.ClassDef)
    made_by = {
        node.name: ast.unparse(node.returns)
        for node in ast.walk(tree_of(thing.path))
        if isinstance(node, ast.FunctionDef) and node.returns is not None
    }
    found = set()
    todo: list[ast.AST] = list(thing.node.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Raise) and node.exc is not None:
            source = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            name = ast.unparse(source).rpartition(".")[2]
            found.add(made_by.get(name, name))
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Lambda)):
            todo += ast.iter_child_nodes(node)
    return {name for name in found if re.fullmatch(r"[A-Z]\w+", name)} - {"AssertionError", "StopIteration"}


def numbers_of(thing: Thing) -> Iterator[str]:
    """Floating-point parameters and results whose names do not say their unit: with a unit they are times and rates."""
    assert not isinstance(thing.node, ast.ClassDef)
    for argument in (*thing.node.args.args, *thing.node.args.kwonlyargs):
        kind = "" if argument.annotation is None else ast.unparse(argument.annotation)
        if kind.startswith("float") and not UNIT_IN_NAME.search(argument.arg):
            yield argument.arg
    result = "" if thing.node.returns is None else ast.unparse(thing.node.returns)
    if result.startswith("float") and not UNIT_IN_NAME.search(thing.node.name):
        yield "result"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_is_public_is_documented(path: Path) -> None:
    assert ast.get_docstring(tree_of(path))
    bare = [each for each in public(path) if not each.doc and not each.node.name.startswith("pytest_")]
    assert [each.place for each in bare if not overrides(each)] == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_function_names_the_errors_that_it_raises(path: Path) -> None:
    unnamed = {}
    for each in public(path):
        if isinstance(each.node, ast.ClassDef) or is_command(each) or not each.doc:
            continue
        missing = {name for name in raised_by(each) if name not in each.doc}
        if missing:
            unnamed[each.place] = missing
    assert unnamed == {}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_number_has_a_unit_in_its_name_or_in_the_words_beside_it(path: Path) -> None:
    unitless = {}
    for each in public(path):
        if isinstance(each.node, ast.ClassDef) or is_command(each) or not each.doc:
            continue
        numbers = list(numbers_of(each))
        if numbers and not UNITS.search(each.doc):
            unitless[each.place] = numbers
    assert unitless == {}


@pytest.mark.parametrize("place", FORMATS)
def test_the_module_of_a_format_names_its_source(place: str) -> None:
    assert FORMATS[place] in (ast.get_docstring(tree_of(PACKAGE / place)) or "")
