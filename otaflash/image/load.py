"""Any firmware file -> what it holds, by its content and not by its name; and its description as data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, NoReturn

from otaflash.errors import ImageError, UsageError
from otaflash.image import elffile, uf2file
from otaflash.image.build import board_name
from otaflash.image.bundle import MAGIC, Bundle, parse_bundle
from otaflash.image.data import ADDRESS_END, Firmware, Segment
from otaflash.image.files import read_file
from otaflash.image.hexfile import parse_hex
from otaflash.image.signing import scheme_of
from otaflash.image.srecfile import parse_srec
from otaflash.image.titxtfile import parse_titxt
from otaflash.wire.messages import FLAG_SINGLE_SLOT, Version

Value = str | int | None | list[dict[str, str]] | list[dict[str, int]]

SLOT: Final = "slot"
Base = int | Literal["slot"]
"""Where a raw binary goes: an address, or the base of the slot that it is for."""

KINDS: Final = "Intel HEX, ELF, S-record, TI-TXT, UF2 or a bundle"

_BINARY: Final[dict[bytes, Callable[[bytes], Firmware]]] = {
    elffile.MAGIC: elffile.parse_elf,
    uf2file.MAGIC: uf2file.parse_uf2,
}
_TEXT: Final[dict[bytes, Callable[[bytes], Firmware]]] = {b":": parse_hex, b"S": parse_srec, b"@": parse_titxt}
"""Parsers by what a file begins with; text may have white space before it."""

_FOREIGN: Final = {
    b"\xff\xfe": ("text in UTF-16", "Save it as plain ASCII text."),
    b"\xfe\xff": ("text in UTF-16", "Save it as plain ASCII text."),
    b"\xef\xbb\xbf": ("text with a byte order mark", "Save it as plain ASCII text."),
    b"PK": ("a ZIP archive", "Unpack it and give the program in it."),
    b"\x1f\x8b": ("compressed by gzip", "Unpack it: gunzip FILE."),
    b"!<arch>": ("a library of object files", "Give what the linker wrote."),
    b"MZ": ("a program for Windows", "Give what the cross compiler made."),
    b"\xcf\xfa\xed\xfe": ("a program for macOS", "Give what the cross compiler made."),
    b"<": ("HTML or XML", "Download the file itself, not the page about it."),
}
_LOOK_BYTES = 256


def load(path: Path | str, *, base: Base | None = None) -> Firmware | Bundle:
    """Reads a file of any kind; `base` is where the bytes go if it is a raw binary, which must be stated.

    Raises ImageError as read_file and the parser of its kind do, file-empty, not-firmware, bin-no-base,
    bin-address-range; UsageError: base-not-needed, for a base with a file that states its addresses itself.
    """
    return parse(read_file(path), base=base)


def parse(content: bytes, *, base: Base | None = None) -> Firmware | Bundle:
    """What is in these bytes. Raises ImageError and UsageError as `load` does."""
    if not content.strip():
        raise ImageError("file-empty", "the file is empty", remedy="Check what the build wrote into it.")
    # The first byte tells them apart for certain; a bundle whose magic is damaged must not be called anything else.
    if content[:1] == MAGIC[:1] or content[1:5] == MAGIC[1:5]:
        parser: Callable[[bytes], Firmware | Bundle] | None = parse_bundle
    else:
        parser = _parser_of(content, raw=base is not None)
    if parser is None:
        return _raw(content, base)
    if base is not None:
        raise UsageError("base-not-needed", "the file states its addresses itself", remedy="leave --base out")
    return parser(content)


def _parser_of(content: bytes, *, raw: bool) -> Callable[[bytes], Firmware] | None:
    """The parser for what the content begins with; None: for nothing that is known. `raw`: a raw binary is expected,
    so that bytes which only happen to begin like text are none."""
    binary = next((parser for magic, parser in _BINARY.items() if content.startswith(magic)), None)
    if binary is not None:
        return binary
    beginning = content[:_LOOK_BYTES].lstrip()
    return _TEXT.get(beginning[:1]) if _is_text(beginning) or (not raw and b"\0" not in beginning[:16]) else None


def _raw(content: bytes, base: Base | None) -> Firmware:
    """Raises ImageError: not-firmware, bin-no-base, bin-address-range."""
    if base is None:
        _refuse_unknown(content)
    at = 0 if base == SLOT else base
    assert isinstance(at, int)
    if at + len(content) > ADDRESS_END:
        text = f"{len(content)} bytes from 0x{at:08X} on run past the 32-bit address space"
        raise ImageError("bin-address-range", text, remedy="Correct --base.")
    return Firmware((Segment(at, content),), None, kind="bin", floating=base == SLOT)


def _refuse_unknown(content: bytes) -> NoReturn:
    for magic, (kind, remedy) in _FOREIGN.items():
        if content.startswith(magic):
            raise ImageError("not-firmware", f"the file is {kind}, no firmware", remedy=remedy)
    if _is_text(content[:_LOOK_BYTES]):
        text = "the file is text, and not of a kind that is known here"
        raise ImageError("not-firmware", text, remedy=f"Give {KINDS}.")
    text = "the file is of no kind that states its addresses, so it may be a raw binary"
    remedy = "If it is one, say where it goes: --base slot, or an address as --base 0x8000"
    raise ImageError("bin-no-base", text, remedy=remedy)


def _is_text(beginning: bytes) -> bool:
    return all(32 <= byte < 127 or byte in b"\t\r\n" for byte in beginning)


def describe(source: Path | str | Firmware | Bundle) -> dict[str, Value]:
    """What `otaflash inspect` prints: the fields that `info` has too (None: the file does not say), and the file's own.

    `source` is a file or what was read from one. Sizes in bytes; digests in hex. `slot_bytes` is the span that a bundle
    needs. Raises ImageError as load does.
    """
    found = source if isinstance(source, Firmware | Bundle) else load(source)
    return _describe_bundle(found) if isinstance(found, Bundle) else _describe_firmware(found)


def _describe_bundle(bundle: Bundle) -> dict[str, Value]:
    manifest = bundle.manifest
    return {
        "kind": "bundle",
        "slot_base": manifest.slot_base,
        "slot_bytes": manifest.pages * manifest.page_bytes,
        "page_bytes": manifest.page_bytes,
        "boot_state": None,
        "image_bytes": manifest.image_bytes,
        "image_crc": manifest.image_crc,
        "digest_sha256": manifest.sha256.hex(),
        "version": str(Version.unpack(manifest.version)),
        "security_counter": manifest.counter,
        "board": board_name(manifest),
        "signed_by": manifest.key_id.hex() if any(manifest.key_id) else None,
        "scheme": scheme_of(manifest).name,
        "single_slot": bool(manifest.flags & FLAG_SINGLE_SLOT),
        "blocks": len(bundle.blocks),
        "warnings": [],
    }


def _describe_firmware(data: Firmware) -> dict[str, Value]:
    return {
        "kind": data.kind,
        "slot_base": None if data.floating else data.lowest,
        "slot_bytes": None,
        "page_bytes": None,
        "boot_state": None,
        "image_bytes": data.end - data.lowest,
        "image_crc": None,
        "digest_sha256": None,
        "version": data.about.version,
        "security_counter": None,
        "board": data.about.board,
        "signed_by": None,
        "scheme": None,
        "machine": data.about.machine,
        "chip": data.about.chip,
        "start": data.start,
        "segments": [{"address": s.address, "bytes": len(s.data)} for s in data.segments],
        "warnings": [{"id": w.id, "text": w.text} for w in data.warnings],
    }
