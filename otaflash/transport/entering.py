"""Brings a board into its loader over a link that was opened for it: lines, a command, an XBee. Knows no message."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from otaflash.errors import UsageError
from otaflash.transport.entry import Command, Lines, LineStep, RemotePin
from otaflash.transport.link import Link, pause
from otaflash.transport.serial import SerialLink
from otaflash.transport.xbee import pulse_remote_pin


def enter_loader(link: Link, entry: Lines | Command | RemotePin, tell: Callable[[str], None]) -> None:
    """Does what `entry` says; what the board sends meanwhile is dropped. `tell` gets a line for what takes its time.

    Raises UsageError for a link that has no such way in, LinkError.
    """
    match entry:
        case Lines(steps):
            _move_lines(link, steps)
        case Command(data):
            link.write(data)
        case RemotePin():
            if not link.stream:
                raise _no_way(link, "no UART with an XBee behind it")
            tell(f"resetting the board by D{entry.pin} of the XBee {entry.address:016X}")
            pulse_remote_pin(link, entry)
        case _:
            assert_never(entry)


def _move_lines(link: Link, steps: tuple[LineStep | float, ...]) -> None:
    if not (isinstance(link, SerialLink) and link.has_lines):
        raise _no_way(link, "no DTR and no RTS")
    for step in steps:
        match step:
            case LineStep("dtr", asserted):
                link.set_lines(dtr=asserted)
            case LineStep(_, asserted):
                link.set_lines(rts=asserted)
            case seconds:
                pause(link, seconds)


def _no_way(link: Link, what: str) -> UsageError:
    return UsageError(
        "enter-not-here",
        f"{link.name} has {what}",
        remedy="Leave out --enter (and the key enter), or take a way in that this port has.",
    )
