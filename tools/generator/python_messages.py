"""otaflash/wire/messages.py: closed sets as enums, messages and records as frozen dataclasses."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from generator.description import MARK, REPLY_BIT, ClosedSet, Description, Field, Layout, Message, Record

# Records that people read and write as text: otaflash/wire/<name>.py gives <name>_text(...) and <name>_numbers(text).
TEXT_FORMS = ("version",)
STRUCT_CODES = {"u8": "B", "u16": "H", "u32": "I"}
WIDTH = 120
INDENT = "    "

HEAD = '''\
"""Messages, records and closed sets of the wire, {mark}.

`pack` gives the body of a message, or a record, and raises WireError if a value does not fit its field. `unpack` takes
it back and raises WireError on a wrong length, and where the description allows one value or some bits only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from typing import ClassVar, Final, Self

from otaflash.wire.errors import WireError, WireFault
from otaflash.wire.fields import Described, bits, block_kind, exactly, fixed, join, listed, only, split'''


def python_module(description: Description) -> str:
    """Text of otaflash/wire/messages.py."""
    return "\n".join(lines(description)) + "\n"


def lines(description: Description) -> Iterator[str]:
    yield HEAD.format(mark=MARK)
    for name in TEXT_FORMS:
        yield f"from otaflash.wire.{name} import {name}_numbers, {name}_text"
    yield ""
    yield from constants(description)
    yield from kinds(description)
    for closed in description.sets:
        yield from closed_set(closed)
    for record in description.records:
        yield from record_class(record)
    for each in description.messages:
        if each.request is not None:
            yield from message_class(camel(each.name), each, each.request, each.kind)
        if each.reply is not None:
            yield from message_class(reply_name(each), each, each.reply, each.kind | REPLY_BIT)
    yield from unions(description)
    yield from dispatch(description)


def constants(description: Description) -> Iterator[str]:
    yield f"PROTOCOL_VERSION: Final = {description.version}"
    yield f"HEADER_BYTES: Final = {description.header.size}"
    yield f"CRC_BYTES: Final = {description.crc_bytes}"
    yield f"FRAME_LEAST: Final = {description.least}"
    yield f"FRAME_GREATEST: Final = {description.greatest}"
    yield f"REPLY: Final = 0x{REPLY_BIT:02X}"
    yield f'HEADER: Final = Struct("{struct_format(description.header)}")'
    for constant in description.constants:
        yield f'{constant.name.upper()}: Final = {constant.value}\n"""{constant.doc}"""'


def kinds(description: Description) -> Iterator[str]:
    yield "\n\nclass Kind(IntEnum):"
    yield '    """Kinds of requests; a reply has REPLY set. Block kinds have the encoding in the low 4 bits."""\n'
    for each in description.messages:
        yield f"    {each.name.upper()} = 0x{each.kind:02X}"


def closed_set(closed: ClosedSet) -> Iterator[str]:
    yield f'\n\nclass {camel(closed.name)}(Described):\n    """{closed.doc}"""\n'
    for name, value, doc in closed.values:
        yield f'    {name.upper()} = {value}, "{doc}"'


# --- classes -------------------------------------------------------------------------------------------------


def message_class(name: str, message: Message, body: Layout, kind: int) -> Iterator[str]:
    yield from class_head(name, f"Answers {camel(message.name)}." if name.endswith("Reply") else message.doc, body)
    if message.kinds == 1:
        yield f"    kind: ClassVar[int] = 0x{kind:02X}\n"
    yield from attributes(body)
    if message.kinds > 1:
        yield '    encoding: int = 0\n    """Encoding of the data, 0 to 15; travels in the kind."""\n'
        yield "    @property\n    def kind(self) -> int:"
        yield '        """The kind byte of the frame, with the encoding in it."""'
        yield f"        return block_kind(0x{kind:02X}, self.encoding)\n"
    yield from pack_method(name, body)
    yield from unpack_method(name, body, encoded=message.kinds > 1)


def record_class(record: Record) -> Iterator[str]:
    name = camel(record.name)
    yield from class_head(name, record.doc, record.layout)
    yield f"    BYTES: ClassVar[int] = {record.layout.size}"
    for field in record.layout.fields:
        if field.value is not None:
            yield f"    {field.name.upper()}_VALUE: ClassVar[int] = 0x{field.value:X}"
        if field.mask is not None:
            yield f"    {field.name.upper()}_MASK: ClassVar[int] = 0x{field.mask:X}"
    yield ""
    yield from attributes(record.layout)
    yield from pack_method(name, record.layout)
    yield from unpack_method(name, record.layout, grows=record.grows)
    if record.name in TEXT_FORMS:
        yield from text_methods(record)


def class_head(name: str, doc: str, layout: Layout) -> Iterator[str]:
    yield f'\n\n{struct_name(name)}: Final = Struct("{struct_format(layout)}")\n\n'
    yield f"@dataclass(frozen=True, slots=True)\nclass {name}:"
    yield "\n".join(textwrap.wrap(f'"""{doc}"""', WIDTH, initial_indent=INDENT, subsequent_indent=INDENT)) + "\n"


def attributes(layout: Layout) -> Iterator[str]:
    for field in layout.fields:
        yield f'    {field.name}: {python_type(field)}\n    """{field.doc} ({field.type})"""'
    if layout.fields:
        yield ""


def pack_method(name: str, layout: Layout) -> Iterator[str]:
    yield "    def pack(self) -> bytes:"
    yield '        """The bytes on the wire. Raises WireError for a value that does not fit its field."""'
    joined = join_call(name, [packed(field) for field in layout.fields if not field.is_rest])
    if layout.rest and layout.rest.record:
        yield f"        values = {joined}"
        yield f'        return values + b"".join(each.pack() for each in self.{layout.rest.name})\n'
    else:
        yield f"        return {joined}" + (f" + self.{layout.rest.name}" if layout.rest else "") + "\n"


def join_call(name: str, values: list[str]) -> str:
    """The call on one line or, where it does not fit, one argument a line."""
    arguments = [f'"{name}"', struct_name(name), *values]
    line = f"join({', '.join(arguments)})"
    if len(line) + len("        return ") <= WIDTH:
        return line
    return "\n            ".join(["join(", *(f"{argument}," for argument in arguments)]) + "\n        )"


def packed(field: Field) -> str:
    return f'exactly("{field.name}", {field.size}, self.{field.name})' if field.is_bytes else f"self.{field.name}"


def unpack_method(name: str, layout: Layout, *, encoded: bool = False, grows: bool = False) -> Iterator[str]:
    yield "    @classmethod"
    yield f"    def unpack(cls, body: bytes{', encoding: int = 0' if encoded else ''}) -> Self:"
    checks = [field for field in layout.fields if field.value is not None or field.mask is not None]
    struct = struct_name(name)
    if layout.rest:
        yield from unpack_with_rest(name, layout, layout.rest.record, encoded)
        return
    made = f'cls(*fixed("{name}", {struct}, body{"[: cls.BYTES]" if grows else ""}))'
    if not checks:
        yield f"        return {made}"
        return
    yield f"        found = {made}"
    for field in checks:
        test, wanted = ("only", field.value) if field.value is not None else ("bits", field.mask)
        yield f'        {test}("{field.name}", 0x{wanted:X}, found.{field.name})'
    yield "        return found"


def unpack_with_rest(name: str, layout: Layout, record: str, encoded: bool) -> Iterator[str]:
    how = f"listed({camel(record)}, " if record else "split("
    call = f'{how}"{name}", {struct_name(name)}, body)'
    if not encoded:
        yield f"        return cls(*{call})"
        return
    names = ", ".join(field.name for field in layout.fields)
    yield f"        {names} = {call}\n        return cls({names}, encoding)"


def text_methods(record: Record) -> Iterator[str]:
    values = ", ".join(f"self.{field.name}" for field in record.layout.fields)
    yield f"\n    def __str__(self) -> str:\n        return {record.name}_text({values})"
    yield "\n    @classmethod\n    def parse(cls, text: str) -> Self:"
    yield '        """What `str` gives, read back. Raises WireError."""'
    yield f"        return cls(*{record.name}_numbers(text))"


# --- all together --------------------------------------------------------------------------------------------


def unions(description: Description) -> Iterator[str]:
    requests = [camel(each.name) for each in description.messages if each.request is not None]
    replies = [reply_name(each) for each in description.messages if each.reply is not None]
    yield f"\n\nRequest = {union(requests)}"
    yield f"Reply = {union(replies)}"
    yield "Message = Request | Reply"


def union(names: list[str]) -> str:
    line = " | ".join(names)
    return line if len(line) < WIDTH - 12 else "(\n    " + "\n    | ".join(names) + "\n)"


def dispatch(description: Description) -> Iterator[str]:
    yield "\n_UNPACK: Final[dict[int, Callable[[bytes], Message]]] = {"
    for each in description.messages:
        if each.request is not None and each.kinds == 1:
            yield f"    0x{each.kind:02X}: {camel(each.name)}.unpack,"
        if each.reply is not None:
            yield f"    0x{each.kind | REPLY_BIT:02X}: {reply_name(each)}.unpack,"
    yield "}"
    yield "\n\ndef unpack(kind: int, body: bytes) -> Message:"
    yield '    """The message of that kind on the wire. Raises WireError: unknown kind, or a body that does not fit."""'
    for each in description.messages:
        if each.kinds > 1:
            yield f"    if kind & 0xF0 == 0x{each.kind:02X}:"
            yield f"        return {camel(each.name)}.unpack(body, kind & 0x0F)"
    yield "    unpacker = _UNPACK.get(kind)"
    yield "    if unpacker is None:"
    yield '        raise WireError(WireFault.UNKNOWN_KIND, f"no message has kind 0x{kind:02X}")'
    yield "    return unpacker(body)"


# --- names ---------------------------------------------------------------------------------------------------


def camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def reply_name(message: Message) -> str:
    return camel(message.name) + ("" if message.request is None else "Reply")


def struct_name(name: str) -> str:
    return "_" + re.sub(r"(?<=.)([A-Z])", r"_\1", name).upper()


def struct_format(layout: Layout) -> str:
    fixed = [field for field in layout.fields if not field.is_rest]
    return "<" + "".join(STRUCT_CODES.get(field.type) or f"{field.size}s" for field in fixed)


def python_type(field: Field) -> str:
    if field.record:
        return f"tuple[{camel(field.record)}, ...]"
    return "bytes" if field.is_bytes else "int"
