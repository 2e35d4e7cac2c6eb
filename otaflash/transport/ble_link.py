"""A link over BLE that finds its board again: the calls of `Link`, and the event loop that runs inside them.

The loop is the link's own and runs only while `open_ble`, `read`, `write` or `close` does: no thread, so Ctrl-C comes
out where it is expected. Knows no message and no library.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from otaflash.errors import OtaflashError
from otaflash.transport import ble_failures as failures
from otaflash.transport.ble import (
    VALUE_LEAST,
    VALUE_MOST,
    Connection,
    Radio,
    Sighting,
    end_loop,
    new_loop,
    within,
)
from otaflash.transport.ble_failures import HOPELESS, WRITE_S, RadioError, Trouble
from otaflash.transport.ble_finding import Finder
from otaflash.transport.ble_services import BleTarget, Service
from otaflash.transport.link import PATIENCE_S

ATTEMPTS = 4
"""To connect to a board that is seen; none begins after COME_UP_S."""
COME_UP_S = 20.0
BACK_OFF_S = 0.25
"""Before the second attempt; twice as long before each further one, up to BACK_OFF_MOST_S."""
BACK_OFF_MOST_S = 2.0
BACK_S = 120.0
"""How long a lost board is looked for: longer than any engine waits."""
AT_ONCE = 16
"""Writes in flight: systems hold about 20 and drop the next without a word."""
REFUSED_MOST = 8
"""Writes refused one after the other, on a connection that stands."""
_GOING = (Trouble.GONE, Trouble.VANISHED)
"""A write that meets these says that the connection ends; that it has, may be told a moment later."""
DOUBT_S = 3.0
"""Values of more than 20 bytes that nothing has answered for so long were too long: some ends promise an MTU that they
do not have. A wrong doubt costs some speed until the next connection."""
DOUBTED_BYTES = (244, 182, VALUE_LEAST)
"""What is tried instead, in turn: what one packet carries, what iOS and many modules take, what must work."""
LOOK_S = 0.25
"""How often a waiting `read` looks whether longer values have become possible."""
DOUBLED_BYTES = 16
"""On a stream, a notification that repeats the one before it is a copy if it is so long: what travels there does not
repeat itself for twice as many bytes, but a module may send single bytes."""

T = TypeVar("T")


class BleLink:
    """A `Link` (otaflash.transport.link) over a GATT service; times are those of its event loop's clock."""

    frame_bytes = 1056
    reconnects = True
    patience_s = PATIENCE_S

    def __init__(
        self,
        target: BleTarget,
        finder: Finder,
        *,
        radio: Radio,
        loop: asyncio.AbstractEventLoop,
        baud: int | None,
        tell: Callable[[str], None],
    ) -> None:
        self.name = target.text
        self.rate_bytes_per_s: float | None = None
        self.stream = True
        self.connections = 0
        self._target = target
        self._finder = finder
        self._radio = radio
        self._loop = loop
        self._baud = baud
        self._tell = tell
        self._connection: Connection | None = None
        self._inbox: deque[bytes] = deque()
        self._news = asyncio.Event()
        self._told = (0, 0)
        """What the caller knows of connections and frame_bytes."""
        self._writes: dict[asyncio.Task[None], float] = {}
        """Those in flight, the oldest first, with the times at which they began."""
        self._unanswered = 0
        self._long_since_s: float | None = None
        """When the first long value was written that nothing has answered."""
        self._longest = 0
        """Of those values."""
        self._trusted_bytes = VALUE_MOST
        self._refused = 0
        self._returning: asyncio.Task[None] | None = None
        self._ended: OtaflashError | None = None

    # --- the calls of a link

    @property
    def queue_writes(self) -> int | None:
        """The same for every system: a host that holds more only loses more with a connection that breaks."""
        return None if self.stream else AT_ONCE

    def now(self) -> float:
        return self._loop.time()

    def read(self, deadline: float) -> bytes:
        """One value of a message link, all that has come of a stream; b"" at `deadline`, or when connection or size of
        frames have changed. Looks for a lost board meanwhile. Raises LinkError."""
        self._run(asyncio.sleep(0))  # whatever is under way gets its turn, also under a caller that never waits
        while True:
            self._check()
            if self._inbox:
                return self._take()
            if self._told != (now_true := self._shape()):
                self._told = now_true
                return b""
            left_s = deadline - self.now()
            if left_s <= 0:
                return b""
            self._news.clear()
            with suppress(RadioError):
                self._run(within(self._news.wait(), min(left_s, LOOK_S)))

    def write(self, data: bytes) -> None:
        """Hands `data` to the system, or drops it while the board is lost. Raises LinkError."""
        self._check()
        connection = self._connection
        if connection is None:
            return
        if self.stream:
            self._write_pieces(connection, data)
        elif len(data) <= self._value_bytes(connection):  # it may have fallen; the next read tells
            self._write_frame(connection, data)

    def close(self) -> None:
        """Disconnects. May be called twice; takes some seconds at most."""
        if self._loop.is_closed():
            return
        self._ended = failures.closed(self.name)
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.gone.remove_done_callback(self._on_gone)
            self._run(connection.close())
        end_loop(self._loop)

    # --- coming up, and coming back

    def open(self) -> None:
        """Finds the board and connects to it. Raises TargetError."""
        try:
            self._run(self._come_up())
        except RadioError as error:
            raise failures.not_usable(error, self._finder.described) from error
        self._told = self._shape()

    async def _come_up(self) -> None:
        seen: Sighting | None = await self._finder.find(self._radio)
        ends_at = self.now() + COME_UP_S
        for attempt in range(1, ATTEMPTS + 1):
            if seen is None:
                raise RadioError(Trouble.VANISHED)
            try:
                await self._attach(seen)
                return
            except RadioError as error:
                if error.trouble in HOPELESS or attempt == ATTEMPTS or self.now() >= ends_at:
                    raise
            self._tell(f"no connection to {self._finder.described} yet, attempt {attempt} of {ATTEMPTS}")
            await self._back_off(attempt)
            seen = await self._finder.find_again(self._radio)  # the sighting before may be stale by now

    async def _come_back(self, lost: Connection) -> None:
        """Looks for the board until it is connected again, or the link is over."""
        await lost.close()
        ends_at = self.now() + BACK_S
        attempt = 0
        while self.now() < ends_at:
            attempt += 1
            try:
                seen = await self._finder.find_again(self._radio)
                if seen is not None:
                    await self._attach(seen)
                    if attempt > 1:
                        self._tell(f"connected to {self._finder.described} again")
                    return
            except RadioError as error:
                if error.trouble in HOPELESS:
                    self._end(failures.lost_for_good(error, self._finder.described))
                    return
            except OtaflashError:  # another program on the board, without our service: the next one may have it
                pass
            if attempt == 1:
                self._tell(f"{self._finder.described} is lost; looking for it")
            await self._back_off(attempt)
        self._end(failures.not_back(self._finder.described, BACK_S))

    async def _back_off(self, attempt: int) -> None:
        pause_s = min(BACK_OFF_S * 2 ** (attempt - 1), BACK_OFF_MOST_S)
        await within(asyncio.sleep(pause_s), 2 * pause_s)

    async def _attach(self, seen: Sighting) -> None:
        """Connects, and only then replaces what belonged to the connection before."""
        inbox: deque[bytes] = deque()

        def take(value: bytes) -> None:
            inbox.append(value)
            self._long_since_s = None
            self._news.set()

        connection = await self._radio.connect(seen, self._finder.choose, take, pair=self._target.pair)
        self._finder.connected(seen, connection.service)
        self._connection, self._inbox = connection, inbox
        self._use(connection.service)
        self._unanswered = self._refused = 0
        self._trusted_bytes, self._long_since_s = VALUE_MOST, None
        self.connections += 1
        self._news.set()
        connection.gone.add_done_callback(self._on_gone)

    def _use(self, service: Service) -> None:
        if self.connections == 0:
            self.stream = service.stream
            self.rate_bytes_per_s = (self._baud or service.baud) / 10 if service.stream else None

    def _on_gone(self, _: asyncio.Future[None]) -> None:
        connection, self._connection = self._connection, None
        for task in self._writes:
            task.cancel()
        if connection is not None and self._ended is None:
            self._returning = self._loop.create_task(self._come_back(connection))

    def _end(self, error: OtaflashError) -> None:
        if self._ended is None:
            self._ended = error
        self._news.set()

    # --- reading

    def _check(self) -> None:
        if self._ended is not None:
            raise self._ended
        if self._writes and self.now() - next(iter(self._writes.values())) >= WRITE_S:
            self._end(failures.write_stuck(self._finder.described))
            self._check()

    def _take(self) -> bytes:
        if not self.stream:
            return self._inbox.popleft()
        data, before = bytearray(), b""
        while self._inbox:
            value = self._inbox.popleft()
            if value != before or len(value) < DOUBLED_BYTES:
                data += value
                before = value
            else:
                before = b""
        return bytes(data)

    def _shape(self) -> tuple[int, int]:
        if self._connection is not None:
            self._doubt()
            if not self.stream:
                self.frame_bytes = self._value_bytes(self._connection)
        return self.connections, self.frame_bytes

    def _doubt(self) -> None:
        since_s = self._long_since_s
        if since_s is not None and self.now() - since_s >= DOUBT_S:
            self._long_since_s = None
            self._trusted_bytes = next((size for size in DOUBTED_BYTES if size < self._longest), VALUE_LEAST)
            self._tell(f"values of {self._longest} bytes are not answered; trying {self._trusted_bytes}")

    def _value_bytes(self, connection: Connection) -> int:
        return min(connection.value_bytes, self._trusted_bytes)

    # --- writing

    def _note(self, value: bytes) -> None:
        if len(value) > VALUE_LEAST:
            if self._long_since_s is None:
                self._long_since_s, self._longest = self.now(), 0
            self._longest = max(self._longest, len(value))

    def _write_frame(self, connection: Connection, frame: bytes) -> None:
        self._note(frame)
        task = self._loop.create_task(connection.write(frame, WRITE_S))
        self._writes[task] = self.now()
        task.add_done_callback(self._on_written)
        while len(self._writes) >= AT_ONCE and self._connection is connection:
            self._check()
            self._news.clear()
            with suppress(RadioError):
                self._run(within(self._news.wait(), LOOK_S))

    def _on_written(self, task: asyncio.Task[None]) -> None:
        full = len(self._writes) >= AT_ONCE
        self._writes.pop(task, None)
        if full:
            self._news.set()
        if not task.cancelled():
            self._judge(task.exception())

    def _write_pieces(self, connection: Connection, data: bytes) -> None:
        """One at a time, as a stream must keep its order. Each sixteenth is answered by the board, which shows that the
        system's queue is empty."""
        sent = 0
        while sent < len(data) and self._connection is connection and self._ended is None:
            piece = data[sent : sent + self._value_bytes(connection)]
            sent += len(piece)
            self._note(piece)
            self._unanswered = (self._unanswered + 1) % AT_ONCE
            answered = self._unanswered == 0 and connection.answers
            try:
                self._run(connection.write(piece, WRITE_S, answered=answered))
            except RadioError as error:
                self._judge(error)
            else:
                self._judge(None)

    def _judge(self, error: BaseException | None) -> None:
        """A frame that the system refused is one that was lost, unless none goes through any more."""
        if error is None:
            self._refused = 0
        elif isinstance(error, RadioError) and error.trouble is Trouble.OVERDUE:
            self._end(failures.write_stuck(self._finder.described))
        elif isinstance(error, RadioError) and error.trouble is Trouble.PAIRING:
            self._end(failures.lost_for_good(error, self._finder.described))
        elif not (isinstance(error, RadioError) and error.trouble in _GOING):
            self._refused += 1
            if self._refused >= REFUSED_MOST:
                self._end(failures.writes_refused(self._finder.described, str(error)))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(work)


def open_ble(
    target: BleTarget,
    services: Sequence[Service],
    *,
    baud: int | None = None,
    tell: Callable[[str], None] = lambda text: None,
    radio: Radio | None = None,
    loop: asyncio.AbstractEventLoop | None = None,
) -> BleLink:
    """Finds the board that `target` means, connects to it by the first of `services` that it offers, and subscribes.

    `baud`: of the UART behind a module; `tell` gets a line for each attempt. `loop` is new and becomes the link's own.
    Raises TargetError: ble-none, ble-ambiguous, ble-no-service, ble-pairing, and the others of ble_failures.
    """
    loop = loop or new_loop()
    link = BleLink(
        target, Finder(target, services), radio=radio or Radio(), loop=loop, baud=target.baud or baud, tell=tell
    )
    try:
        link.open()
    except BaseException:
        link.close()
        raise
    return link
