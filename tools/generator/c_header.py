"""firmware/core/messages.h: numbers, offsets and accessors for the device."""

from __future__ import annotations

from collections.abc import Iterator

from generator.description import MARK, REPLY_BIT, Description, DescriptionError, Layout

C_HEAD = """\
/* messages.h: the wire in numbers, {mark}.
 *
 * OTA_<M>_REQ_<FIELD> and OTA_<M>_REP_<FIELD>: offset of a field in the body (behind the header) of request and reply.
 * ..._BYTES: length of the body, less a last field that runs to its end; ..._REST: 1 if there is such a field.
 * OTA_<RECORD>_<FIELD>: offset in a record; ..._VALUE: the only value, ..._MASK: the only bits that may be set in it.
 */
#ifndef OTA_MESSAGES_H
#define OTA_MESSAGES_H

#include <stdint.h>
"""

C_TAIL = """
/* Numbers as they travel, little-endian; bytes.c. */
uint16_t get_u16(const uint8_t *from);
uint32_t get_u32(const uint8_t *from);
void put_u16(uint8_t *to, uint16_t value);
void put_u32(uint8_t *to, uint32_t value);

#endif
"""


def c_header(description: Description) -> str:
    """Text of firmware/core/messages.h."""
    defines = [*c_frame(description), *c_messages(description), *c_records(description)]
    names = [line.split()[1] for line in defines if line.startswith("#define")]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise DescriptionError(f"the C names {sorted(twice)} stand for two things")
    lines = [C_HEAD.format(mark=MARK), *defines, *c_enums(description)]
    return "\n".join(lines) + "\n" + C_TAIL


def c_frame(description: Description) -> Iterator[str]:
    yield f"#define OTA_PROTOCOL_VERSION {description.version}U"
    yield f"#define OTA_HEADER_BYTES {description.header.size}U"
    yield f"#define OTA_CRC_BYTES {description.crc_bytes}U"
    yield f"#define OTA_FRAME_LEAST {description.least}U"
    yield f"#define OTA_FRAME_GREATEST {description.greatest}U"
    for field in description.header.fields:
        yield f"#define OTA_HEADER_{field.name.upper()} {field.offset}U"
    for constant in description.constants:
        yield f"#define OTA_{constant.name.upper()} {constant.value}U /* {constant.doc} */"
    yield ""
    yield f"#define OTA_KIND_REPLY 0x{REPLY_BIT:02X}U"
    yield "#define OTA_KIND_ENCODING_MASK 0x0FU"
    for each in description.messages:
        only = f" /* a reply only: 0x{each.kind | REPLY_BIT:02X} on the wire */" if each.request is None else ""
        yield f"#define OTA_KIND_{each.name.upper()} 0x{each.kind:02X}U{only}"


def c_messages(description: Description) -> Iterator[str]:
    for each in description.messages:
        for half, name in ((each.request, "REQ"), (each.reply, "REP")):
            if half is None:
                continue
            prefix = f"OTA_{each.name.upper()}_{name}"
            yield ""
            yield from c_offsets(prefix, half)
            yield f"#define {prefix}_BYTES {half.size}U"
            yield f"#define {prefix}_REST {int(half.rest is not None)}U"


def c_records(description: Description) -> Iterator[str]:
    for record in description.records:
        prefix = f"OTA_{record.name.upper()}"
        yield f"\n/* {record.name}: {record.doc} */"
        yield from c_offsets(prefix, record.layout)
        yield f"#define {prefix}_BYTES {record.layout.size}U"


def c_offsets(prefix: str, fields: Layout) -> Iterator[str]:
    for field in fields.fields:
        name = f"{prefix}_{field.name.upper()}"
        yield f"#define {name} {field.offset}U"
        suffix = "UL" if field.size == 4 else "U"
        if field.value is not None:
            yield f"#define {name}_VALUE 0x{field.value:X}{suffix}"
        if field.mask is not None:
            yield f"#define {name}_MASK 0x{field.mask:X}{suffix}"


def c_enums(description: Description) -> Iterator[str]:
    for closed in description.sets:
        yield f"\n/* {closed.doc} */\nenum ota_{closed.name} {{"
        for name, value, doc in closed.values:
            comma = "" if name == closed.values[-1][0] else ","
            yield f"    OTA_{closed.name.upper()}_{name.upper()} = {value}{comma} /* {doc} */"
        yield "};"
