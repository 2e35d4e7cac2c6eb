"""A board for programs with an event loop: the calls of sync.py, made in a thread of the connection's own.

A link waits in ways that no event loop can wait for on every system (serial ports on Windows, pyserial's URLs), so one
thread a connection does the waiting, and no call is ever made outside of it. Cancelling a call stops the thread's work
within a twentieth of a second (a write that the port does not take may last up to ten), and only then is the
cancellation passed on: nothing goes on behind the caller's back.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager, suppress
from typing import TypedDict, TypeVar, Unpack

from otaflash.api.facts import BoardInfo, PushEvent, PushPlan, PushResult
from otaflash.api.sync import Firmware, OnEvent, SyncBoard, connect_sync
from otaflash.image.signing import Signer
from otaflash.transport.ble_services import Service

_T = TypeVar("_T")


class PlanOptions(TypedDict, total=False):
    """What may be said of an image; see SyncBoard.push."""

    version: str | None
    counter: int | None
    single_slot: bool
    key: Signer | None
    board: str | None
    force: bool


class PushOptions(PlanOptions, total=False):
    """What may be said of a push; see SyncBoard.push."""

    confirm: bool
    resume: bool | None


class Board:
    """One board, and the link to it: SyncBoard for programs with an event loop, whose docstrings hold here too.

    Calls wait for each other. A cancelled call has ended when its CancelledError comes out: the board keeps what it
    runs, the connection can be used again, and the next push resumes.
    """

    def __init__(self, board: SyncBoard, worker: ThreadPoolExecutor) -> None:
        """`worker` has one thread, in which `board` was made; `connect` does this."""
        self._board = board
        self._worker = worker
        self._turn = asyncio.Lock()

    @property
    def port(self) -> str:
        """What leads to the board, as the user names it."""
        return self._board.port

    @property
    def last_info(self) -> BoardInfo | None:
        """What the board said of itself last, in whatever call; None: nothing yet."""
        return self._board.last_info

    async def info(self) -> BoardInfo:
        """What the board is and what it runs. Raises LinkError, OtaflashError."""
        return await self._do(self._board.info)

    async def confirm(self) -> BoardInfo:
        """Keeps the program on trial. Raises LinkError, OtaflashError: no-trial."""
        return await self._do(self._board.confirm)

    async def revert(self) -> BoardInfo:
        """Gives up the program on trial. Raises LinkError, OtaflashError: no-trial, already-confirmed."""
        return await self._do(self._board.revert)

    async def reboot(self) -> BoardInfo:
        """Restarts the board. Raises LinkError, OtaflashError."""
        return await self._do(self._board.reboot)

    async def plan(self, firmware: Firmware, **options: Unpack[PlanOptions]) -> PushPlan:
        """What `push` would do; changes nothing on the board. Raises what the push would, as far as it can be known."""
        return await self._do(lambda: self._board.plan(firmware, **options))

    async def push(
        self, firmware: Firmware, *, on_event: OnEvent | None = None, **options: Unpack[PushOptions]
    ) -> PushResult:
        """The whole update, as SyncBoard.push; `on_event` is called in the event loop. Raises OtaflashError."""
        async with aclosing(self.pushing(firmware, **options)) as events:
            async for event in events:
                if isinstance(event, PushResult):
                    return event
                if on_event is not None:
                    on_event(event)
        raise AssertionError("a push ends with its result, or raises")

    async def pushing(
        self, firmware: Firmware, **options: Unpack[PushOptions]
    ) -> AsyncGenerator[PushEvent | PushResult, None]:
        """The same as an iterator over its events; the last item is the result. Raises what `push` raises.

        Leaving the loop early ends the push when the iterator is closed: `contextlib.aclosing` does that at once.
        """
        loop = asyncio.get_running_loop()
        events: asyncio.Queue[PushEvent | None] = asyncio.Queue()

        def tell(event: PushEvent) -> None:
            loop.call_soon_threadsafe(events.put_nowait, event)

        async with self._turn:
            work = self._worker.submit(self._board.push, firmware, on_event=tell, **options)
            future = asyncio.wrap_future(work)
            future.add_done_callback(lambda _: events.put_nowait(None))
            try:
                while (event := await events.get()) is not None:
                    yield event
                yield future.result()
            finally:
                await self._ended(future)

    async def _do(self, call: Callable[[], _T]) -> _T:
        async with self._turn:
            future = asyncio.wrap_future(self._worker.submit(call))
            try:
                await asyncio.wait([future])
                return future.result()
            finally:
                await self._ended(future)

    async def _ended(self, future: asyncio.Future[_T]) -> None:
        """Stops what is under way and waits until it has ended, however often that is cancelled."""
        if future.done():
            return
        self._board.stop()
        while not future.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([future])
        future.exception()  # looked at: the caller knows that it was stopped
        self._board.go_on()


@asynccontextmanager
async def connect(
    port: str | None = None,
    *,
    baud: int | None = None,
    module: Service | None = None,
    enter: str | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> AsyncIterator[Board]:
    """Opens the way to a board, and closes it at the end: ``async with otaflash.connect(port) as board: ...``.

    The arguments are those of `connect_sync`, `baud` in bits per second; `tell` is called in the connection's thread.
    Cancelled while it opens, it ends at once, and what was being opened is closed as soon as it is open. Raises
    TargetError, UsageError, LinkError.
    """
    worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="otaflash")
    try:
        opening = worker.submit(connect_sync, port, baud=baud, module=module, enter=enter, tell=tell)
        try:
            board = await asyncio.wrap_future(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close_late)
            raise
        try:
            yield Board(board, worker)
        finally:
            closing = asyncio.wrap_future(worker.submit(board.close))
            await asyncio.shield(closing)
            worker.shutdown()
    finally:
        worker.shutdown(wait=False)


def _close_late(opening: Future[SyncBoard]) -> None:
    """Runs in the thread that has opened it."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
