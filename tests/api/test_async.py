"""The same board for programs with an event loop: events in the loop, and cancellation that leaves nothing behind."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
import textwrap
import threading
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import otaflash
import otaflash.api
from otaflash.api.aio import Board
from otaflash.api.sync import SyncBoard
from tests.api.boards import BLINK, ROOT, URL, HeldLink

HALF = 3500
"""Bytes written: the push is in the middle of its blocks then."""


@asynccontextmanager
async def held(link: HeldLink) -> AsyncIterator[Board]:
    with ThreadPoolExecutor(1) as worker:
        board = SyncBoard(link)
        yield Board(board, worker)
        board.close()


async def cancelled_push(board: Board) -> list[otaflash.PushEvent]:
    """A push that is cancelled once half of it has arrived."""
    events: list[otaflash.PushEvent] = []
    half = asyncio.Event()

    def follow(event: otaflash.PushEvent) -> None:
        events.append(event)
        if isinstance(event, otaflash.Progress):
            half.set()

    push = asyncio.ensure_future(board.push(BLINK, version="1.1.0", on_event=follow))
    await half.wait()
    await asyncio.sleep(0.02)
    push.cancel()
    with pytest.raises(asyncio.CancelledError):
        await push
    return events


def run(work: Coroutine[Any, Any, None]) -> None:
    """Nothing of a test may be left in the loop or in a thread."""
    asyncio.run(work, debug=True)
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("otaflash")] == []


def test_a_push_ends_with_what_runs_and_its_events_come_in_the_loop() -> None:
    async def work() -> None:
        threads = set()
        async with otaflash.connect(URL) as board:
            before = await board.info()
            result = await board.push(
                BLINK, version="1.1.0", on_event=lambda _: threads.add(threading.current_thread())
            )
            assert (before.version, result.running_version) == ("0.0.1", "1.1.0")
            assert board.last_info == result.info
            assert (await board.plan(BLINK, version="1.1.0")).already_running
        assert threads == {threading.main_thread()}

    run(work())


def test_events_come_as_an_iterator_that_ends_with_the_result() -> None:
    async def work() -> None:
        async with otaflash.connect(URL) as board:
            events = [event async for event in board.pushing(BLINK, version="1.1.0")]
        assert isinstance(events[0], otaflash.PhaseChanged)
        assert isinstance(events[-1], otaflash.PushResult)
        assert sum(isinstance(event, otaflash.PushResult) for event in events) == 1

    run(work())


def test_a_push_that_is_cancelled_leaves_the_old_program_and_the_next_one_resumes() -> None:
    with otaflash.connect_sync(URL) as untouched:
        whole = untouched.push(BLINK, version="1.1.0")

    async def work() -> None:
        link = HeldLink(hold_after_bytes=HALF)
        async with held(link) as board:
            events = await cancelled_push(board)
            written = link.written_bytes
            await asyncio.sleep(0.02)
            assert link.written_bytes == written  # nothing goes on behind the caller's back
            link.hold_after_bytes = None
            assert (await board.info()).version == "0.0.1"
            rest = await board.push(BLINK, version="1.1.0")
        assert rest.running_version == "1.1.0"
        assert any(isinstance(event, otaflash.Progress) for event in events)
        assert rest.wire_bytes_down < 0.6 * whole.wire_bytes_down

    run(work())


def test_a_time_out_around_a_push_ends_it_as_a_cancellation_does() -> None:
    async def work() -> None:
        link = HeldLink(hold_after_bytes=HALF)
        async with held(link) as board:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await board.push(BLINK, version="1.1.0")
            link.hold_after_bytes = None
            assert (await board.push(BLINK, version="1.1.0")).running_version == "1.1.0"

    run(work())


def test_leaving_the_iterator_early_ends_the_push() -> None:
    async def work() -> None:
        link = HeldLink(hold_after_bytes=HALF)
        async with held(link) as board:
            async with aclosing(board.pushing(BLINK, version="1.1.0")) as events:
                async for event in events:
                    if isinstance(event, otaflash.Progress):
                        break
            link.hold_after_bytes = None
            assert (await board.info()).version == "0.0.1"

    run(work())


def test_what_a_listener_raises_comes_out_and_ends_the_push() -> None:
    async def work() -> None:
        link = HeldLink(hold_after_bytes=HALF)

        def leave(event: otaflash.PushEvent) -> None:
            if isinstance(event, otaflash.Progress):
                raise RuntimeError("enough")

        async with held(link) as board:
            with pytest.raises(RuntimeError, match="enough"):
                await board.push(BLINK, version="1.1.0", on_event=leave)
            link.hold_after_bytes = None
            assert (await board.push(BLINK, version="1.1.0")).running_version == "1.1.0"

    run(work())


def test_a_call_that_waits_for_its_turn_is_cancelled_without_touching_the_one_under_way() -> None:
    async def work() -> None:
        link = HeldLink(hold_after_bytes=HALF)
        async with held(link) as board:
            push = asyncio.ensure_future(board.push(BLINK, version="1.1.0"))
            await asyncio.sleep(0.05)
            waiting = asyncio.ensure_future(board.info())
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            link.hold_after_bytes = None
            assert (await push).running_version == "1.1.0"

    run(work())


def test_two_boards_are_pushed_at_once() -> None:
    async def work() -> None:
        async with otaflash.connect(URL) as one, otaflash.connect(f"{URL}&loss=5%") as other:
            results = await asyncio.gather(one.push(BLINK, version="1.1.0"), other.push(BLINK, version="1.2.0"))
        assert [result.running_version for result in results] == ["1.1.0", "1.2.0"]

    run(work())


def test_errors_are_raised_as_they_are_and_nothing_stays_open() -> None:
    async def work() -> None:
        with pytest.raises(otaflash.UsageError):
            async with otaflash.connect("sim:"):
                raise AssertionError("it is no port")
        async with otaflash.connect(URL) as board:
            with pytest.raises(otaflash.ImageError):
                await board.push("nowhere.hex")
            with pytest.raises(otaflash.OtaflashError) as caught:
                await board.revert()
            assert caught.value.reason == "no-trial"

    run(work())


def test_the_examples_of_the_documentation_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(BLINK, "firmware.hex")
    paragraphs = re.findall(r"(?:^    .*\n|^\n)+", str(otaflash.api.__doc__), re.MULTILINE)
    examples = [textwrap.dedent(each) for each in paragraphs if each.strip()]
    for example in examples:
        exec(compile(example, "example", "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    assert len(examples) == 2
    assert [line for line in printed if line.startswith("0.0.1 -> 1.1.0 in ")]
    assert printed[-1] == "0.0.1"


def test_importing_the_package_imports_none_of_it() -> None:
    code = (
        "import sys; before = set(sys.modules); import otaflash;"
        "print(sorted(name for name in set(sys.modules) - before if name != 'otaflash')); otaflash.connect"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"


@pytest.mark.parametrize("name", [name for name in otaflash.__all__ if name != "__version__"])
def test_every_name_of_the_package_is_there_and_documented(name: str) -> None:
    found = getattr(otaflash, name)
    assert name == "PushEvent" or found.__doc__
    assert name in dir(otaflash)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="conect"):
        otaflash.conect  # noqa: B018
