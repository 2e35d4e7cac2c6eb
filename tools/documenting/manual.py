"""The manual page otaflash(1), in the man macros of troff (man(7))."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from documenting.commands import Described, Row, common_options, every_command
from otaflash import __version__
from otaflash.config import KEYS
from otaflash.errors import ExitCode
from otaflash.history.place import FOLDER_VARIABLE

FILES = (
    (
        "otaflash.toml",
        "What holds in that folder and below it; the user's own lies where the system has such files.",
    ),
    ("FILE.otab", "A bundle: an image with its manifest, fit for one kind of board."),
)
ENVIRONMENT = (
    *((key.environment, f"As {key.name} in otaflash.toml, above it and below the options.") for key in KEYS.values()),
    (FOLDER_VARIABLE, "The folder of the history, in place of the system's own."),
    ("NO_COLOR", "Set to anything: no colours."),
)


def page() -> str:
    """The whole page."""
    return "\n".join(lines()) + "\n"


def lines() -> Iterator[str]:
    """Its lines, without their ends."""
    yield f'.TH OTAFLASH 1 "" "otaflash {__version__}" "User Commands"'
    yield from section("NAME", [r"otaflash \- flash any microcontroller over the air"])
    yield from section("SYNOPSIS", [r".B otaflash", r"[\fIOPTIONS\fR] \fICOMMAND\fR [\fIARGS\fR]..."])
    yield from section("DESCRIPTION", description())
    yield ".SH COMMANDS"
    for command in every_command():
        yield from subsection(command)
    yield from section("OPTIONS OF EVERY COMMAND", listed(common_options()))
    yield from section("EXIT STATUS", listed(Row(str(int(code)), sentence(code.meaning)) for code in ExitCode))
    yield from section("ENVIRONMENT", listed(Row(*each) for each in ENVIRONMENT))
    yield from section("FILES", listed(Row(*each) for each in FILES))
    yield from section("SEE ALSO", [escaped("avrdude(1). Each error's page: otaflash explain CODE.")])


def description() -> Iterator[str]:
    """What the program is, in two sentences."""
    yield escaped(
        "Brings a program onto a microcontroller through a radio that loses packets. What the board runs at the end is "
        "the new program, whole and checked, or still the old one."
    )


def section(name: str, body: Iterable[str]) -> Iterator[str]:
    """A section with its lines."""
    yield f".SH {name}"
    yield from body


def subsection(command: Described) -> Iterator[str]:
    """One command: how it is typed, what it does, its options, its examples."""
    yield f".SS {escaped(command.name)} {escaped(command.usage)}".rstrip()
    for number, paragraph in enumerate(command.paragraphs):
        if number:
            yield ".PP"
        yield escaped(paragraph)
    yield from listed(command.options)
    if command.examples:
        yield from (".PP", "Examples:" if len(command.examples) > 1 else "Example:", ".PP", ".nf", ".RS 4")
        yield from (escaped(example) for example in command.examples)
        yield from (".RE", ".fi")


def listed(rows: Iterable[Row]) -> Iterator[str]:
    """Terms, each with its text indented below it."""
    for row in rows:
        yield ".TP"
        yield rf"\fB{escaped(row.term)}\fR"
        yield escaped(row.text)


def sentence(text: str) -> str:
    """Half a sentence, made whole."""
    return f"{text[:1].upper()}{text[1:]}."


def escaped(text: str) -> str:
    """Text as troff prints it: no escape, no command at the start of a line, and a minus that can be copied."""
    safe = text.replace("\\", r"\e").replace("-", r"\-")
    return re.sub(r"^(?=[.'])", r"\\&", safe)
