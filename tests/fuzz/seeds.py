"""What a fuzzer need not find out by itself: the words of each format, and a few inputs to begin with. Taken from the
description of the wire, the golden bytes and the tables of the code, so that none is kept twice."""

from __future__ import annotations

import tomllib
from pathlib import Path

from otaflash.config import BOARDS, KEYS
from otaflash.image import elffile, uf2file
from otaflash.image.build import Slot, build_image
from otaflash.image.bundle import MAGIC, bundle_from_image, pack_bundle
from otaflash.image.data import Firmware, Segment
from otaflash.sim.app import Behaviour
from otaflash.sim.url import _LINK_KEYS, _OWN_KEYS
from otaflash.wire.messages import Version

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "firmware" / "app" / "blink" / "blink-1.0.0.hex"
LINES_OF_HEX = 6
FILE_WORDS = [elffile.MAGIC, uf2file.MAGIC, MAGIC, b"S1", b"S9030000FC", b"@F000\n", b"q\n", b".otaflash", b"version="]


def kinds() -> list[bytes]:
    """Of requests and replies, one byte each."""
    table = tomllib.loads((ROOT / "protocol" / "messages.toml").read_text(encoding="utf-8"))
    numbers = {message["kind"] | bit for message in table["message"] for bit in (0, 0x80)}
    return [bytes([number]) for number in sorted(numbers)]


def golden(name: str) -> list[bytes]:
    """The bytes of the vectors: every word of 16 hexadecimal digits or more."""
    text = (ROOT / "protocol" / "vectors" / name).read_text(encoding="utf-8")
    found = []
    for word in text.split():
        try:
            found.append(bytes.fromhex(word))
        except ValueError:
            continue
    return sorted({each for each in found if len(each) >= 8})


def texts(*words: str) -> list[bytes]:
    return [word.encode() for word in words]


UNITS = texts("ms", "s", "%", "k", "/", "+", ":torn", ":after", "down.", "up.", "1e-4", "inf", "nan", "-1", "9" * 40)
CONFIG_WORDS = texts(
    *KEYS,
    BOARDS,
    "[boards.",
    'enter = "lines:dtr=0,100ms"',
    " = ",
    '"""',
    "'''",
    "[[",
    "]]",
    "{",
    "9" * 40,
    "\\u",
    "inf",
    "\n",
)
URL_WORDS = [
    *texts(*(f"{key}=" for key in (*_LINK_KEYS, *_OWN_KEYS)), *(name.value for name in Behaviour), "&", "board?"),
    *UNITS,
]
HEX_WORDS = texts(":00000001FF", ":020000040000FA", ":020000021000EC", ":04000003", ":04000005", "\r\n", ":0B", "\x1a")


def dictionary(target: str) -> list[bytes]:
    """Words that mean something to that target."""
    frames = [frame for frame in golden("accepted.txt") if len(frame) <= 24]
    words = {
        "frames": [*kinds(), b"ABCDEFG\0"],
        "record": [bytes(8), b"\xff" * 8],
        "flash": [bytes(8), b"\xff" * 8, b"OTF1"],
        "wire": [*kinds(), *frames],
        "engine": [*kinds(), *frames],
        "hex": HEX_WORDS,
        "files": FILE_WORDS,
        "bundle": [MAGIC, bytes([128, 0]), bytes([32, 0])],
        "config": CONFIG_WORDS,
        "sim_url": URL_WORDS,
    }
    return words.get(target, [])


def sessions() -> list[bytes]:
    """Whole updates for `offers`, byte by byte as session.c takes them: two slots, one slot, and with cuts."""
    offer, blocks, apply = bytes([0, 1, 0, 127, 0]), bytes([1, 1, 0, 0]), bytes([2, 0])
    single_offer, single_blocks = bytes([0, 3, 0, 127, 0]), bytes([1, 3, 0, 1])
    confirm, revert, late_cut = bytes([3, 0, 1]), bytes([3, 1, 1]), bytes([6, 2 + 8, 5])
    update = offer + blocks + apply
    return [
        start + deeds
        for start in (bytes([2, 0, 1]), bytes([0x44, 1, 1]), bytes([0x2C, 0x22, 1]), bytes([0x32, 0x35, 0]))
        for deeds in (
            update + confirm + update,
            update + revert + update,
            offer + blocks + late_cut + apply + late_cut + confirm,
            single_offer + single_blocks + apply,
        )
    ]


def seeds(target: str) -> list[bytes]:
    """To begin with."""
    lines = PROGRAM.read_bytes().splitlines()
    first = {
        "offers": sessions(),
        "wire": golden("accepted.txt"),
        "hex": [b"\n".join([*lines[:LINES_OF_HEX], lines[-1]]), b"\n".join([HEX_WORDS[2], *lines[1:3], lines[-1]])],
        "bundle": [small_bundle()],
        "config": [
            b'board = "tiny2"\nport = "sim:tiny2?loss=5%"\nbaud = 57600\nversion = "1.2.3"\ncounter = 4\n',
            b'port = "lamp"\n[boards.lamp]\nport = "/dev/ttyUSB0"\nenter = "text:reboot\\\\r"\n',
        ],
        "sim_url": texts(
            "tiny2?rate=57600&delay=30ms&loss=5%&seed=7&app=new:hang,2.0.0:crash",
            "nrf51?down.burst=2s/200ms/90%&up.outage=5s+10s/50%&packet=100&buffer=202&air=78000&cut=12:torn&off=1s",
        ),
    }
    return first.get(target, [])


def small_bundle() -> bytes:
    """A bundle of one page, as `otaflash bundle` makes it."""
    data = Firmware((Segment(0, bytes(range(60))),), None)
    slot = Slot(board="tiny2", base=0, page_bytes=64, pages=4)
    return pack_bundle(bundle_from_image(build_image(data, slot, version=Version(1, 2, 3, 0), counter=5)))
