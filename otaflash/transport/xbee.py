"""An XBee at this computer moves a pin of the XBee at the board. Frames of Digi's API mode; knows no other use of it.

Sources: Digi's "XBee/XBee-PRO S2C 802.15.4 RF Module User Guide": Transparent and command mode; API frames 0x08, 0x17,
0x88 and 0x97; AP, CN, D0 to P2. Digi's own Python package (digi-xbee 1.5) opens the port itself, wants a module that
is in API mode already, and keeps a thread at it: ours is transparent, at a port that is open, and two frames do.
"""

from __future__ import annotations

from collections.abc import Iterator

from otaflash.errors import LinkError
from otaflash.transport.entry import PULSE_S, RemotePin
from otaflash.transport.link import Link, pause

GUARD_S = 1.1
"""Silence around +++: a module's GT is 1 s unless somebody changed it."""
ANSWER_S = 2.0
"""A module answers a command at once; one that goes to the other side within its retries."""
TRIES = 5

_START = 0x7E
_LOCAL, _REMOTE = 0x08, 0x17
_LOCAL_ANSWER, _REMOTE_ANSWER = 0x88, 0x97
_APPLY = 0x02
_LOW, _HIGH = 4, 5
"""Values of D0 to P2: digital output."""
_STATUS = {1: "an error", 2: "no such pin", 3: "a pin that cannot be an output", 4: "no word from the other XBee"}


def pulse_remote_pin(link: Link, pin: RemotePin) -> None:
    """Pulls the pin low for 100 ms, then high. The module at `link` is in transparent mode before and after.

    Takes some 3 s, of which 2.2 s is the silence that the module wants. Raises LinkError.
    """
    _command_mode(link)
    api = _Api(link)
    try:
        api.remote(pin, _LOW)
        pause(link, PULSE_S)
        api.remote(pin, _HIGH)
    finally:
        api.ask(bytes([_LOCAL, 0]) + b"AP\0", _LOCAL_ANSWER)


def _command_mode(link: Link) -> None:
    """Out of transparent mode, into API mode 1 (no escapes). Nothing is saved: power off and on forgets it."""
    pause(link, GUARD_S)
    link.write(b"+++")
    _await_ok(link, GUARD_S + ANSWER_S)
    for command in (b"ATAP1\r", b"ATCN\r"):
        link.write(command)
        _await_ok(link, ANSWER_S)


def _await_ok(link: Link, seconds: float) -> None:
    heard, until = b"", link.now() + seconds
    while b"OK\r" not in heard:
        heard += link.read(until)
        if link.now() >= until:
            raise LinkError(
                "xbee-no-command-mode",
                f"the XBee at {link.name} does not go into command mode",
                remedy="Set it to transparent mode (AP=0), GT=3E8 and CC=+, and check --baud.",
            )


class _Api:
    """Frames to the module and their answers. Radio packets that come in between are dropped: nobody asked yet."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._id = 0

    def remote(self, pin: RemotePin, level: int) -> None:
        """Sets the pin, again if need be: a board that was pulled low must not stay so."""
        name = f"P{pin.pin - 10}" if pin.pin >= 10 else f"D{pin.pin}"
        request = bytes([_REMOTE, 0]) + pin.address.to_bytes(8) + b"\xff\xfe" + bytes([_APPLY])
        status: int | None = None
        for _ in range(TRIES):
            answer = self.ask(request + name.encode() + bytes([level]), _REMOTE_ANSWER)
            status = None if answer is None else answer[14]
            if status == 0:
                return
        what = "does not answer" if status is None else f"refuses: {_STATUS.get(status, f'status {status}')}"
        held = " The board is still held in reset." if level == _HIGH else ""
        raise LinkError(
            "xbee-no-answer",
            f"the XBee {pin.address:016X} {what}, when {name} was to go {'low' if level == _LOW else 'high'}.{held}",
            remedy="Check its address (SH, SL), its network (ID, CH) and its reach.",
        )

    def ask(self, request: bytes, kind: int) -> bytes | None:
        """Sends one request with an id of its own; the answer to it, of at least 15 bytes where it is a remote one."""
        self._id = self._id % 255 + 1
        self._link.write(api_frame(request[:1] + bytes([self._id]) + request[2:]))
        reader, until = FrameReader(), self._link.now() + ANSWER_S
        while self._link.now() < until:
            for frame in reader.feed(self._link.read(until)):
                least = 15 if kind == _REMOTE_ANSWER else 5
                if len(frame) >= least and frame[:2] == bytes([kind, self._id]):
                    return frame
        return None


def api_frame(data: bytes) -> bytes:
    """`data` in a frame of API mode 1: 7E, length, data, checksum."""
    return bytes([_START]) + len(data).to_bytes(2) + data + bytes([0xFF - sum(data) & 0xFF])


class FrameReader:
    """Bytes in, the data of whole frames out. What is no frame is skipped byte by byte."""

    def __init__(self) -> None:
        self._left = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The frames that `data` completes, in order; the rest waits for more."""
        self._left += data
        while (start := self._left.find(_START)) >= 0:
            self._left = self._left[start:]
            end = 4 + int.from_bytes(self._left[1:3]) if len(self._left) >= 3 else 4
            if len(self._left) < end:
                if end > _LONGEST:
                    self._left = self._left[1:]
                    continue
                return
            frame = self._left[3:end]
            if sum(frame) & 0xFF == 0xFF:
                self._left = self._left[end:]
                yield frame[:-1]
            else:
                self._left = self._left[1:]
        self._left = b""


_LONGEST = 4 + 0x200
"""No frame of an XBee is longer: a length beyond that is noise, and must not be waited for."""
