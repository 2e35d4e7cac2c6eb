"""What --enter may say, and how a mistake in it is told."""

from __future__ import annotations

import pytest

from otaflash.errors import UsageError
from otaflash.transport.entry import Command, Entry, Lines, LineStep, PowerUp, RemotePin, parse_entry


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("dtr", Lines((LineStep("dtr", False), 0.1, LineStep("dtr", True), 0.1, LineStep("dtr", False)))),
        ("RTS", Lines((LineStep("rts", False), 0.1, LineStep("rts", True), 0.1, LineStep("rts", False)))),
        ("lines:dtr=0,rts=1, 50ms,1.5s", Lines((LineStep("dtr", False), LineStep("rts", True), 0.05, 1.5))),
        ("text:reboot", Command(b"reboot")),
        (r"text:a\r\n\t\0\e\\b\x00\xFF", Command(b"a\r\n\t\0\x1b\\b\x00\xff")),
        ("text:\u00e4:b?", Command("\u00e4:b?".encode())),
        ("xbee:0013A20040522BAA", RemotePin(0x0013A20040522BAA, 3)),
        ("xbee:0013a20040522baa:d12", RemotePin(0x0013A20040522BAA, 12)),
        ("power", PowerUp(30.0)),
        ("power:2s", PowerUp(2.0)),
        ("none", None),
    ],
)
def test_every_way_in_is_read(text: str, entry: Entry | None) -> None:
    assert parse_entry(text) == entry


@pytest.mark.parametrize(
    "text",
    [
        "",
        "fly",
        "dtr:",
        "dtr,rts",
        "lines:",
        "lines:dtr",
        "lines:dtr=2",
        "lines:100",
        "lines:0ms",
        "lines:7200s",
        "text:",
        "text",
        "text:a\\",
        "text:\\q",
        "text:\\x1",
        "text:\\xgg",
        "xbee:",
        "xbee:123",
        "xbee:0013A20040522BAA:D13",
        "power:",
        "power:30",
        "power:0s",
        "none:",
    ],
)
def test_anything_else_is_refused_with_the_forms_that_there_are(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_entry(text)
    assert caught.value.reason == "enter-malformed"
    assert repr(text) in caught.value.text
    assert "xbee:ADDRESS" in caught.value.remedy
