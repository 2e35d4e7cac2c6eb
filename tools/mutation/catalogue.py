"""The mutants as files say them: a reason, changes of sources, and where each must be caught. Makes nothing."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MUTANTS = ROOT / "tests" / "mutants"


class Unusable(Exception):
    """A mutant that cannot be judged: an anchor is gone, it does not compile or import, the tests fail without it."""


@dataclass(frozen=True, slots=True)
class Change:
    """`find`, which stands once in `file` (a path from the root), becomes `replace`."""

    file: str
    find: str
    replace: str


@dataclass(frozen=True, slots=True)
class Exploration:
    """Where the power-cut explorer looks: a board's geometry, the images' pages, cuts in one history."""

    board: str
    pages: tuple[int, ...]
    depth: int


@dataclass(frozen=True, slots=True)
class Mutant:
    """Code that is wrong on purpose; it is caught by one of `tests` (files or node ids), or by `exploration`."""

    name: str
    why: str
    changes: tuple[Change, ...]
    tests: tuple[str, ...]
    exploration: Exploration | None

    @property
    def is_core(self) -> bool:
        """True if C is changed, so that an extension of its own must be compiled."""
        return any(change.file.endswith(".c") for change in self.changes)


def load(path: Path) -> Mutant:
    """The mutant of one file. Raises Unusable."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        changes = tuple(Change(**change) for change in table.pop("change"))
        why, tests = str(table.pop("why")), tuple(table.pop("tests", ()))
        exploration = Exploration(table.pop("board"), tuple(table.pop("pages")), table.pop("depth")) if table else None
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise Unusable(f"{path.name}: {error!r}") from error
    if table or bool(tests) == (exploration is not None):
        raise Unusable(
            f"{path.name}: either `tests` or `board`, `pages` and `depth`, and nothing else but {{why, change}}"
        )
    return Mutant(path.stem, why, changes, tests, exploration)


def all_mutants(folder: Path, names: list[str]) -> list[Mutant]:
    """Those of `folder` with the names given, or all, by name. Raises Unusable."""
    paths = sorted(folder.glob("*.toml"))
    unknown = set(names) - {path.stem for path in paths}
    if unknown:
        raise Unusable(f"no mutant is called {', '.join(sorted(unknown))}")
    return [load(path) for path in paths if not names or path.stem in names]


def changed_files(mutant: Mutant) -> dict[str, str]:
    """The changed sources by their path from the root. Raises Unusable where `find` does not stand exactly once."""
    files: dict[str, str] = {}
    for change in mutant.changes:
        text = files.get(change.file) or (ROOT / change.file).read_text(encoding="utf-8")
        if text.count(change.find) != 1:
            raise Unusable(f"{mutant.name}: {change.file} has {text.count(change.find)} places like {change.find!r}")
        files[change.file] = text.replace(change.find, change.replace)
    return files


BEGIN, END = "<!-- generated: mutants -->", "<!-- end generated -->"


def with_table(document: str, mutants: list[Mutant]) -> str:
    """The document with a row for each mutant between BEGIN and END."""
    head, rest = document.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    rows = "\n".join(
        f"| `{mutant.name}` | {_where(mutant)} | {mutant.why} | {_caught_by(mutant)} |" for mutant in mutants
    )
    return f"{head}{BEGIN}\n| mutant | changes | what is wrong | put through |\n|---|---|---|---|\n{rows}\n{END}{tail}"


def _where(mutant: Mutant) -> str:
    return ", ".join(f"`{'/'.join(Path(file).parts[-2:])}`" for file in dict.fromkeys(c.file for c in mutant.changes))


def _caught_by(mutant: Mutant) -> str:
    if mutant.exploration is None:
        return ", ".join(f"`{test.removeprefix('tests/')}`" for test in mutant.tests)
    pages = "/".join(str(count) for count in mutant.exploration.pages)
    return f"the explorer: {mutant.exploration.board} {pages}, {mutant.exploration.depth} cuts"
