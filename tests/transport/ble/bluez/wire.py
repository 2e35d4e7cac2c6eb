"""D-Bus messages as bytes and back (specification 0.43, "Marshaling"): little-endian, the types that BlueZ uses."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

CALL, RETURN, ERROR, SIGNAL = 1, 2, 3, 4
NO_REPLY = 1

_FIXED = {"y": "B", "b": "I", "n": "h", "q": "H", "i": "i", "u": "I", "x": "q", "t": "Q", "d": "d", "h": "I"}
_ALIGNED = {"y": 1, "g": 1, "v": 1, "n": 2, "q": 2, "x": 8, "t": 8, "d": 8, "(": 8, "{": 8}
_FIELDS = {"path": (1, "o"), "interface": (2, "s"), "member": (3, "s"), "error": (4, "s"), "reply_to": (5, "u"),
           "destination": (6, "s"), "sender": (7, "s"), "signature": (8, "g"), "fds": (9, "u")}  # fmt: skip
_NAMES = {code: name for name, (code, _) in _FIELDS.items()}


@dataclass(frozen=True, slots=True)
class Variant:
    """A value that says its own type."""

    signature: str
    value: Any


@dataclass(slots=True)
class Message:
    """One message; `body` has one value for each complete type of `signature`."""

    kind: int
    serial: int = 0
    flags: int = 0
    signature: str = ""
    body: list[Any] = field(default_factory=list)
    path: str = ""
    interface: str = ""
    member: str = ""
    error: str = ""
    reply_to: int = 0
    destination: str = ""
    sender: str = ""
    fds: int = 0


def types_of(signature: str) -> Iterator[str]:
    """The complete types of a signature, one after the other."""
    at = 0
    while at < len(signature):
        end = at
        while signature[end] == "a":
            end += 1
        if signature[end] in "({":
            depth = 0
            while True:
                depth += (signature[end] in "({") - (signature[end] in ")}")
                if depth == 0:
                    break
                end += 1
        yield signature[at : end + 1]
        at = end + 1


def pack(message: Message) -> bytes:
    """The bytes of a message."""
    body = bytearray()
    for kind, value in zip(types_of(message.signature), message.body, strict=True):
        _put(body, kind, value)
    stated = [(code, Variant(kind, getattr(message, name))) for name, (code, kind) in _FIELDS.items()]
    head = bytearray()
    _put(head, "yyyyuu", (ord("l"), message.kind, message.flags, 1, len(body), message.serial))
    _put(head, "a(yv)", [pair for pair in stated if pair[1].value])
    return bytes(head) + bytes(-len(head) % 8) + bytes(body)


def unpack(data: bytes | bytearray) -> tuple[Message, int] | None:
    """The first message in `data` and its length; None: it is not whole yet."""
    if len(data) < 16:
        return None
    body_bytes, serial, fields_bytes = struct.unpack_from("<III", data, 4)
    body_at = 16 + fields_bytes + -fields_bytes % 8
    if len(data) < body_at + body_bytes:
        return None
    message = Message(data[1], serial, data[2])
    for code, value in _get(data, 12, "a(yv)")[0]:
        if code in _NAMES:
            setattr(message, _NAMES[code], value)
    at, body = 0, bytes(data[body_at : body_at + body_bytes])
    for kind in types_of(message.signature):
        value, at = _get(body, at, kind)
        message.body.append(value)
    return message, body_at + body_bytes


def _put(out: bytearray, kind: str, value: Any) -> None:
    code = kind[0]
    out += bytes(-len(out) % _ALIGNED.get(code, 4))
    if code in _FIXED and len(kind) > 1:  # the fixed part of a header
        for one, part in zip(kind, value, strict=True):
            _put(out, one, part)
    elif code in _FIXED:
        out += struct.pack("<" + _FIXED[code], value)
    elif code in "so":
        text = value.encode()
        out += struct.pack("<I", len(text)) + text + b"\0"
    elif code == "g":
        out += bytes([len(value)]) + value.encode() + b"\0"
    elif code == "v":
        _put(out, "g", value.signature)
        _put(out, value.signature, value.value)
    elif code == "a":
        _put_array(out, kind[1:], value)
    else:
        for one, part in zip(types_of(kind[1:-1]), value, strict=True):
            _put(out, one, part)


def _put_array(out: bytearray, kind: str, value: Any) -> None:
    length_at = len(out)
    out += bytes(4)
    out += bytes(-len(out) % _ALIGNED.get(kind[0], 4))
    start = len(out)
    if kind == "y":
        out += bytes(value)
    else:
        for each in value.items() if kind[0] == "{" else value:
            _put(out, kind, each)
    struct.pack_into("<I", out, length_at, len(out) - start)


def _get(data: bytes | bytearray, at: int, kind: str) -> tuple[Any, int]:
    code = kind[0]
    at += -at % _ALIGNED.get(code, 4)
    if code in _FIXED:
        form = "<" + _FIXED[code]
        return struct.unpack_from(form, data, at)[0], at + struct.calcsize(form)
    if code in "so":
        length = struct.unpack_from("<I", data, at)[0]
        return bytes(data[at + 4 : at + 4 + length]).decode(), at + 5 + length
    if code == "g":
        return bytes(data[at + 1 : at + 1 + data[at]]).decode(), at + 2 + data[at]
    if code == "v":
        inner, at = _get(data, at, "g")
        return _get(data, at, inner)
    if code == "a":
        return _get_array(data, at, kind[1:])
    parts = []
    for one in types_of(kind[1:-1]):
        part, at = _get(data, at, one)
        parts.append(part)
    return tuple(parts), at


def _get_array(data: bytes | bytearray, at: int, kind: str) -> tuple[Any, int]:
    length = struct.unpack_from("<I", data, at)[0]
    at += 4
    at += -at % _ALIGNED.get(kind[0], 4)
    end = at + length
    if kind == "y":
        return bytes(data[at:end]), end
    items = []
    while at < end:
        item, at = _get(data, at, kind)
        items.append(item)
    return (dict(items) if kind[0] == "{" else items), at
