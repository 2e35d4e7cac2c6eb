"""Any firmware file -> what it holds, by its content and not by its name; and its description as data."""

from __future__ import annotations

from pathlib import Path

from otaflash.image.build import board_name
from otaflash.image.bundle import MAGIC, Bundle, parse_bundle
from otaflash.image.data import Firmware
from otaflash.image.files import read_file
from otaflash.image.hexfile import parse_hex
from otaflash.image.signing import scheme_of
from otaflash.wire.messages import FLAG_SINGLE_SLOT, Version

Value = str | int | None | list[dict[str, str]] | list[dict[str, int]]


def load(path: Path | str) -> Firmware | Bundle:
    """Reads a HEX file or a bundle. Raises ImageError as read_file, parse_hex and parse_bundle do."""
    content = read_file(path)
    # The first byte tells them apart for certain; a bundle whose magic is damaged must not be called a bad HEX.
    if content[:1] == MAGIC[:1] or content[1:5] == MAGIC[1:5]:
        return parse_bundle(content)
    return parse_hex(content)


def describe(source: Path | str | Firmware | Bundle) -> dict[str, Value]:
    """What `otaflash inspect` prints: the fields that `info` has too (None: the file does not say), and the file's own.

    `source` is a file or what was read from one. Sizes in bytes; digests in hex. `slot_bytes` is the span that a bundle
    needs. Raises ImageError as load does.
    """
    found = source if isinstance(source, Firmware | Bundle) else load(source)
    return _describe_bundle(found) if isinstance(found, Bundle) else _describe_hex(found)


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


def _describe_hex(data: Firmware) -> dict[str, Value]:
    return {
        "kind": "hex",
        "slot_base": data.lowest,
        "slot_bytes": None,
        "page_bytes": None,
        "boot_state": None,
        "image_bytes": data.end - data.lowest,
        "image_crc": None,
        "digest_sha256": None,
        "version": None,
        "security_counter": None,
        "board": None,
        "signed_by": None,
        "scheme": None,
        "start": data.start,
        "segments": [{"address": s.address, "bytes": len(s.data)} for s in data.segments],
        "warnings": [{"id": w.id, "text": w.text} for w in data.warnings],
    }
