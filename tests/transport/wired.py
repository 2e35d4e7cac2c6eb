"""A board as it is wired in the field: the real core in real time, its reset on DTR, a command or an XBee's pin."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from serial.rfc2217 import PortManager

from otaflash.sim.app import Application, Applications, Behaviour
from otaflash.sim.boards import add_board
from otaflash.sim.profiles import PROFILES
from otaflash.sim.radio import LinkModel, Way
from otaflash.sim.serve import Door, PtyDoor, TcpDoor, run
from otaflash.sim.station import Place, Station
from otaflash.sim.world import World
from otaflash.transport.xbee import FrameReader, api_frame

DEAF = Application(Behaviour.SILENT)
"""An application that answers nothing: only a reset leads into the loader."""
WIRE = LinkModel(Way(packet_bytes=0), Way(packet_bytes=0))


@contextmanager
def wired(make_door: Callable[[Station], Door], *, application: Application = DEAF) -> Iterator[tuple[str, Station]]:
    """Serves a board behind a door of one's own, in a thread; yields the port's name and the board."""
    world = World(1)
    port, _ = add_board(world, PROFILES["atmega328p"], WIRE, applications=Applications(application))
    station = port.station
    door = make_door(station)
    port.on_receive = door.write
    stopped = threading.Event()
    while station.place is Place.LOADER:
        world.step()
    thread = threading.Thread(target=run, args=(world, port.write, door, stopped.is_set), daemon=True)
    thread.start()
    try:
        yield door.name, station
    finally:
        stopped.set()
        thread.join(5.0)
        assert not thread.is_alive()
        door.close()


# --- DTR and RTS --------------------------------------------------------------------------------------------------


@dataclass
class Adapter:
    """What a serial server opens: a USB adapter, whose driver has raised both lines."""

    station: Station
    holds_reset: bool = False
    """DTR goes to the reset itself, which it holds while asserted; False: a capacitor lies between."""
    moved: list[tuple[str, bool]] = field(default_factory=list)
    baudrate: int = 115200
    bytesize: int = 8
    parity: str = "N"
    stopbits: int = 1
    cts = dsr = ri = cd = rtscts = xonxoff = break_condition = False
    _dtr: bool = True
    _rts: bool = True

    def __post_init__(self) -> None:
        if self.holds_reset:
            self.station.switch_off()

    @property
    def dtr(self) -> bool:
        return self._dtr

    @dtr.setter
    def dtr(self, asserted: bool) -> None:
        if asserted != self._dtr:
            self._dtr = asserted
            self.moved.append(("dtr", asserted))
            self._reset(asserted)

    @property
    def rts(self) -> bool:
        return self._rts

    @rts.setter
    def rts(self, asserted: bool) -> None:
        if asserted != self._rts:
            self._rts = asserted
            self.moved.append(("rts", asserted))

    def _reset(self, asserted: bool) -> None:
        if self.holds_reset:
            (self.station.switch_off if asserted else self.station.switch_on)()
        elif asserted:
            self.station.reset()

    def reset_input_buffer(self) -> None:
        """Nothing waits here."""

    def reset_output_buffer(self) -> None:
        """Nothing waits here."""


class Rfc2217Door(TcpDoor):
    """A serial server: pyserial's own RFC 2217 in front of an adapter."""

    def __init__(self, adapter: Adapter) -> None:
        super().__init__(0)
        self.adapter = adapter
        self._manager: PortManager | None = None

    @property
    def name(self) -> str:
        return super().name.replace("socket:", "rfc2217:")

    def read(self, ready: list[int]) -> bytes:
        before = self._client
        data = super().read(ready)
        if self._client is not before and self._client is not None:
            self._manager = PortManager(self.adapter, _Raw(super().write))
        return b"".join(self._manager.filter(data)) if self._manager is not None else b""

    def write(self, data: bytes) -> None:
        if self._manager is not None:
            super().write(b"".join(self._manager.escape(data)))


@dataclass
class _Raw:
    write: Callable[[bytes], None]


# --- a command to the application ---------------------------------------------------------------------------------


class ConsoleDoor(PtyDoor):
    """The application takes a line `reboot`, and does it."""

    def __init__(self, station: Station) -> None:
        super().__init__()
        self._station = station
        self._line = b""

    def read(self, ready: list[int]) -> bytes:
        data = super().read(ready)
        self._line += data
        if self._station.place is Place.DEAF and b"reboot\r\n" in self._line:
            self._station.reset()
        self._line = self._line[-len(b"reboot\r") :]
        return data


class DarkDoor(PtyDoor):
    """The board has no power until somebody has asked for it a while."""

    def __init__(self, station: Station, asked_bytes: int) -> None:
        super().__init__()
        self._station = station
        self._left = asked_bytes
        station.switch_off()

    def read(self, ready: list[int]) -> bytes:
        data = super().read(ready)
        self._left -= len(data)
        if self._left <= 0:
            self._station.switch_on()
        return data


# --- XBee ---------------------------------------------------------------------------------------------------------


class XBeeDoor(PtyDoor):
    """Two XBees: the one at the host in transparent, command or API mode, the other's D3 at the board's reset."""

    ADDRESS = 0x0013A20040522BAA

    def __init__(self, station: Station, *, deaf_to: int = 0, silent: bool = False, status: int = 0) -> None:
        super().__init__()
        self._station = station
        self._mode = "transparent"
        self._deaf_to = deaf_to
        """So many requests to the other side are lost."""
        self._silent = silent
        self._status = status
        self._commands = b""
        self._frames = FrameReader()
        self.levels: list[int] = []
        self.modes: list[str] = []

    def read(self, ready: list[int]) -> bytes:
        data = super().read(ready)
        if self._silent:
            return b""
        if self._mode == "api":
            for frame in self._frames.feed(data):
                self._answer(frame)
            return b""
        if self._mode == "command":
            self._commands += data
            while b"\r" in self._commands:
                command, _, self._commands = self._commands.partition(b"\r")
                self._obey(command)
            return b""
        if data == b"+++":
            self._become("command")
            super().write(b"OK\r")
            return b""
        return data

    def write(self, data: bytes) -> None:
        if self._mode == "transparent":
            super().write(data)
        elif self._mode == "api":  # as a radio packet: 0x90
            super().write(api_frame(b"\x90" + self.ADDRESS.to_bytes(8) + b"\xff\xfe\x01" + data))

    def _become(self, mode: str) -> None:
        self._mode = mode
        self.modes.append(mode)

    def _obey(self, command: bytes) -> None:
        super().write(b"OK\r" if command in (b"ATAP1", b"ATCN") else b"ERROR\r")
        if command == b"ATCN":
            self._become("api")

    def _answer(self, frame: bytes) -> None:
        kind, number = frame[0], frame[1:2]
        if kind == 0x08 and frame[2:] == b"AP\0":
            super().write(api_frame(b"\x88" + number + b"AP\0"))
            self._become("transparent")
        elif kind == 0x17 and frame[2:13] == self.ADDRESS.to_bytes(8) + b"\xff\xfe\x02":
            if self._deaf_to:
                self._deaf_to -= 1
                return
            self._move(frame[13:15], frame[15])
            answer = b"\x97" + number + frame[2:10] + b"\x12\x34" + frame[13:15] + bytes([self._status])
            super().write(b"\x7e\xff\xff noise" + api_frame(answer))

    def _move(self, pin: bytes, level: int) -> None:
        if self._status or pin != b"D3":
            return
        self.levels.append(level)
        (self._station.switch_off if level == 4 else self._station.switch_on)()
