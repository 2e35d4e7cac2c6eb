"""What a program says of itself in the section ``.otaflash`` of its ELF file (firmware/app/about.h). Knows no ELF."""

from __future__ import annotations

from otaflash.errors import ImageError
from otaflash.image.build import BOARD_BYTES
from otaflash.wire.messages import Version

KEYS = ("version", "board")


def parse_about(content: bytes) -> dict[str, str]:
    """The lines ``key=value`` of the section. A key may stand twice if it says the same.

    Raises ImageError: elf-about (an unknown key, two values, or one that does not fit).
    """
    said: dict[str, str] = {}
    for line in content.replace(b"\0", b"\n").decode("ascii", "backslashreplace").splitlines():
        if not line:
            continue
        key, _, value = line.partition("=")
        if key not in KEYS:
            raise _wrong(f"{key!r} is not known there; known are {', '.join(KEYS)}")
        if said.setdefault(key, value) != value:
            raise _wrong(f"it states two values for {key}: {said[key]} and {value}")
        _check(key, value)
    return said


def _check(key: str, value: str) -> None:
    if key == "version":
        try:
            Version.parse(value)
        except ValueError as error:
            raise _wrong(str(error)) from error
    elif not (value.isascii() and value.isprintable() and 0 < len(value) <= BOARD_BYTES):
        raise _wrong(f"{value!r} is no board name")


def _wrong(text: str) -> ImageError:
    return ImageError(
        "elf-about", f"in the section .otaflash of the ELF file: {text}", remedy="Correct OTAFLASH_ABOUT."
    )
