"""The pytest plug-in. Every pytest run where otaflash is installed loads it, so it imports nothing of otaflash before a
fixture is asked for, and does nothing to tests that ask for none. docs/testing.md is its manual."""

from __future__ import annotations

import shlex
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from otaflash.testing import Board, MakeBoard, ServePort
    from otaflash.testing.given import GivenLink

_BOARDS = pytest.StashKey[list["Board"]]()
_FAILED = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("otaflash").addoption(
        "--otaflash-seed",
        type=int,
        default=1,
        metavar="N",
        help="seed of everything random about simulated boards (default: 1); a failed test prints the one it had",
    )


@pytest.fixture(scope="session")
def otaflash_seed(request: pytest.FixtureRequest) -> int:
    """The seed of all chance: N of --otaflash-seed N, else 1."""
    seed: int = request.config.getoption("--otaflash-seed")
    return seed


@pytest.fixture
def otaflash_link() -> GivenLink:
    """The link of every board that is not given another: good. Define a fixture of this name to change that."""
    from otaflash.testing import Link  # noqa: PLC0415  # only tests that use boards pay for them

    return Link()


@pytest.fixture
def otaflash_board(request: pytest.FixtureRequest, otaflash_seed: int, otaflash_link: GivenLink) -> Iterator[MakeBoard]:
    """Makes simulated boards in virtual time: otaflash_board("atmega328p", image="build/v1.hex", version="1.0.0")."""
    from otaflash.testing import make_board  # noqa: PLC0415  # as above

    boards = request.node.stash.setdefault(_BOARDS, [])

    def make(board: Any, **options: Any) -> Board:
        options.setdefault("link", otaflash_link)
        made = make_board(board, seed=f"{otaflash_seed}/{len(boards)}", **options)
        boards.append(made)
        return made

    yield make
    if not request.node.stash.get(_FAILED, False):
        for made in boards:
            made.check_ended()


@pytest.fixture
def otaflash_port(otaflash_seed: int, otaflash_link: GivenLink) -> Iterator[ServePort]:
    """Serves simulated boards in real time, and returns the name of the port: otaflash_port("atmega328p", tcp=True)."""
    from otaflash.testing import served_port  # noqa: PLC0415  # as above

    with ExitStack() as served:

        def serve(board: Any, **options: Any) -> str:
            options.setdefault("link", otaflash_link)
            return served.enter_context(served_port(board, seed=otaflash_seed, **options))

        yield serve


@pytest.hookimpl(hookwrapper=True)  # not wrapper=True, which an older pluggy would refuse, in everybody's runs
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    outcome = yield
    if "otaflash_seed" not in getattr(item, "fixturenames", ()):
        return
    report: pytest.TestReport = outcome.get_result()
    if report.failed:
        item.stash[_FAILED] = True
        report.sections.append(("otaflash", _told(item)))


def _told(item: pytest.Item) -> str:
    """The seed, and what happened to the boards of this test."""
    seed = item.config.getoption("--otaflash-seed")
    lines = [f"seed {seed}; the same again: pytest {shlex.quote(item.nodeid)} --otaflash-seed {seed}"]
    boards: list[Board] = item.stash.get(_BOARDS, [])
    for number, board in enumerate(boards):
        lines += [f"board {number}, {board.profile.name}:", *board.story]
        if board.latest_copy is not None:
            lines += ["  the cut tried last:", *board.latest_copy.story]
    return "\n".join(lines)
