"""The tables between the "generated" marks of protocol/PROTOCOL.md."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.description import REPLY_BIT, Description, DescriptionError, Layout, Message


def with_tables(document: str, description: Description) -> str:
    """The document with every generated part made anew. Raises DescriptionError if a mark is missing."""
    parts = {"messages": messages(description), "records": records(description), "enums": enums(description)}
    parts["uuids"] = uuids(description)
    for name, lines in parts.items():
        opening, closing = f"<!-- generated: {name} -->", "<!-- end generated -->"
        found = re.search(f"{opening}\n.*?{closing}", document, re.DOTALL)
        if found is None:
            raise DescriptionError(f"PROTOCOL.md has no part {opening}")
        text = "\n".join([opening, *lines, closing])
        document = document[: found.start()] + text + document[found.end() :]
    return document


def messages(description: Description) -> Iterator[str]:
    yield "`at` is the offset in the body; `rest` and `list` run to its end, so that such a body may be longer.\n"
    yield "| message | kind | field | type | at | meaning |\n|---|---|---|---|---|---|"
    for each in description.messages:
        yield f"| **{each.name}** | | | | | {each.doc} |"
        for half, name, bit in ((each.request, "request", 0), (each.reply, "reply", REPLY_BIT)):
            if half is not None:
                yield from body_rows(name, kind_text(each, bit), half)


def kind_text(message: Message, bit: int) -> str:
    kind = f"0x{message.kind | bit:02X}"
    return kind if message.kinds == 1 else f"{kind} + encoding"


def body_rows(name: str, kind: str, half: Layout) -> Iterator[str]:
    if not half.fields:
        yield f"| {name} | {kind} | (empty) | | | |"
    for field in half.fields:
        first = field.offset == 0
        yield (
            f"| {name if first else ''} | {kind if first else ''} | `{field.name}` "
            f"| {field.type.replace(':', ' of ')} | {field.offset} | {field.doc} |"
        )


def records(description: Description) -> Iterator[str]:
    for record in description.records:
        yield f"**{record.name}**, {record.layout.size} bytes. {record.doc}\n"
        yield "| field | type | at | meaning |\n|---|---|---|---|"
        for field in record.layout.fields:
            yield f"| `{field.name}` | {field.type} | {field.offset} | {field.doc} |"
        yield ""


def enums(description: Description) -> Iterator[str]:
    for closed in description.sets:
        yield f"**{closed.name}**. {closed.doc}\n"
        yield "| value | name | meaning |\n|---|---|---|"
        for name, value, doc in closed.values:
            yield f"| {value} | `{name}` | {doc} |"
        yield ""


def uuids(description: Description) -> Iterator[str]:
    yield "| name | UUID | what it is |\n|---|---|---|"
    for uuid in description.uuids:
        yield f"| `{uuid.name}` | {uuid.value} | {uuid.doc} |"
    yield ""
