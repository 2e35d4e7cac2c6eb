"""The description of the wire, read from protocol/messages.toml and checked. Knows no output."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Any

NUMBERS = {"u8": 1, "u16": 2, "u32": 4}
REPLY_BIT = 0x80
MARK = "generated from protocol/messages.toml by tools/generate; do not edit"


class DescriptionError(ValueError):
    """messages.toml contradicts itself."""


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    type: str
    doc: str
    offset: int
    value: int | None = None  # the only value taken
    mask: int | None = None  # the only bits taken

    @property
    def size(self) -> int:
        """Bytes of it; 0 for what runs to the end."""
        if self.type in NUMBERS:
            return NUMBERS[self.type]
        return int(self.type[5:]) if self.type.startswith("bytes") else 0

    @property
    def record(self) -> str:
        """Name of the record that it lists, or nothing."""
        return self.type.partition(":")[2]

    @property
    def is_rest(self) -> bool:
        return self.size == 0

    @property
    def is_bytes(self) -> bool:
        return self.type not in NUMBERS and not self.record


@dataclass(frozen=True, slots=True)
class Layout:
    """Fields one after the other: a body of a message, or a record."""

    fields: tuple[Field, ...]

    @property
    def size(self) -> int:
        return sum(field.size for field in self.fields)

    @property
    def rest(self) -> Field | None:
        return self.fields[-1] if self.fields and self.fields[-1].is_rest else None


@dataclass(frozen=True, slots=True)
class Message:
    name: str
    kind: int
    kinds: int
    doc: str
    request: Layout | None
    reply: Layout | None


@dataclass(frozen=True, slots=True)
class Record:
    name: str
    doc: str
    layout: Layout
    grows: bool


@dataclass(frozen=True, slots=True)
class ClosedSet:
    name: str
    doc: str
    values: tuple[tuple[str, int, str], ...]


@dataclass(frozen=True, slots=True)
class Constant:
    name: str
    value: int
    doc: str


@dataclass(frozen=True, slots=True)
class Uuid:
    name: str
    value: str
    doc: str


@dataclass(frozen=True, slots=True)
class Description:
    version: int
    header: Layout
    crc_bytes: int
    least: int
    greatest: int
    messages: tuple[Message, ...]
    records: tuple[Record, ...]
    sets: tuple[ClosedSet, ...]
    constants: tuple[Constant, ...]
    uuids: tuple[Uuid, ...]


def layout(entries: list[dict[str, Any]]) -> Layout:
    found: list[Field] = []
    offset = 0
    for entry in entries:
        field = Field(offset=offset, **entry)
        if not re.fullmatch(r"u8|u16|u32|bytes[1-9]\d*|rest|list:[a-z_]+", field.type):
            raise DescriptionError(f"{field.name}: unknown type {field.type}")
        if found and found[-1].is_rest:
            raise DescriptionError(f"{field.name}: stands after {found[-1].name}, which runs to the end")
        found.append(field)
        offset += field.size
    return Layout(tuple(found))


def message(entry: dict[str, Any]) -> Message:
    halves = {half: layout(entry[half]) if half in entry else None for half in ("request", "reply")}
    return Message(entry["name"], entry["kind"], entry.get("kinds", 1), entry["doc"], **halves)


def read_description(text: str) -> Description:
    """The checked description. Raises DescriptionError or tomllib.TOMLDecodeError."""
    raw = tomllib.loads(text)
    frame = raw["frame"]
    description = Description(
        raw["protocol_version"],
        layout(frame["header"]),
        NUMBERS[frame["crc"]["type"]],
        frame["least_bytes"],
        frame["greatest_bytes"],
        tuple(message(entry) for entry in raw["message"]),
        tuple(
            Record(entry["name"], entry["doc"], layout(entry["fields"]), entry.get("grows", False))
            for entry in raw["record"]
        ),
        tuple(
            ClosedSet(entry["name"], entry["doc"], tuple((v["name"], v["value"], v["doc"]) for v in entry["values"]))
            for entry in raw["enum"]
        ),
        tuple(Constant(**entry) for entry in raw["constant"]),
        tuple(Uuid(**entry) for entry in raw["uuid"]),
    )
    check_description(description)
    return description


def check_description(description: Description) -> None:
    taken: dict[int, str] = {}
    known = {record.name for record in description.records}
    for each in description.messages:
        for kind in range(each.kind, each.kind + each.kinds):
            if kind >= REPLY_BIT or kind in taken:
                raise DescriptionError(f"{each.name}: kind 0x{kind:02X} is not free")
            taken[kind] = each.name
        for half in (each.request, each.reply):
            if half and half.rest and half.rest.record and half.rest.record not in known:
                raise DescriptionError(f"{each.name}: no record is called {half.rest.record}")
    for closed in description.sets:
        if len({value for _, value, _ in closed.values}) != len(closed.values):
            raise DescriptionError(f"{closed.name}: a value stands twice")
    for uuid in description.uuids:
        if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", uuid.value):
            raise DescriptionError(f"{uuid.name}: {uuid.value} is not a UUID of 128 bits in lower case")
    if len({uuid.value for uuid in description.uuids}) != len(description.uuids):
        raise DescriptionError("two UUIDs are the same")
