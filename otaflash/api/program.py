"""A firmware file made fit for one board: what a push offers and `otaflash bundle` writes. Knows no link."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from otaflash.engine.events import WarningEvent
from otaflash.errors import ExitCode, Fault, OtaflashError, UsageError
from otaflash.image.build import Slot
from otaflash.image.bundle import Bundle
from otaflash.image.data import Firmware
from otaflash.image.gitversion import GIT, git_version
from otaflash.image.program import board_of, bundle_for
from otaflash.image.signing import Signer
from otaflash.wire.messages import Info, Version

if TYPE_CHECKING:
    from otaflash.image.load import Base

DEFAULT_VERSION = "0.0.0"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is stated of an image; None: left to us."""

    version: str | None = None
    """As ``1.2.3`` or ``1.2.3+4``; ``git``: from the tag of the checkout that the file lies in."""
    counter: int | None = None
    """Security counter, 0 to 4,294,967,295."""
    single_slot: bool = False
    """Replace the only copy: for programs too large for two slots. There is no way back."""
    move: bool = False
    """Take the program as payload for the slot, wherever it was linked: for simulated boards, which run no code."""
    base: Base | None = None
    """Where a raw binary goes, which states no address itself."""


@dataclass(frozen=True, slots=True)
class Program:
    """A file that was read before any board is touched, and what is wanted of it."""

    content: Firmware | Bundle
    wanted: Wanted
    notes: tuple[WarningEvent, ...] = ()
    """What was noticed of the version."""
    signer: Signer | None = None
    """The key that signs it; None: it is pushed as it is."""

    @classmethod
    def read(
        cls, path: Path, wanted: Wanted, *, default_version: str | None = None, default_counter: int | None = None
    ) -> Program:
        """Reads a file of any kind; what is not stated of a program comes from the file, else from the defaults, which
        mean nothing for a bundle.

        Raises ImageError; UsageError where a bundle states already what is wanted, for a version that is none, and as
        `load` and `git_version` do.
        """
        from otaflash.image.load import load  # noqa: PLC0415  kinds of files, of which a question needs none

        content = load(path, base=wanted.base)
        if isinstance(content, Bundle):
            if (wanted.version, wanted.counter, wanted.single_slot) != (None, None, False):
                raise UsageError(
                    "bundle-is-made",
                    f"{path} is a bundle, whose version, counter and slot are fixed",
                    remedy="leave those options out, or give the program's own file",
                )
            return cls(content, wanted)
        counter = default_counter if wanted.counter is None else wanted.counter
        version, notes = _version_of(content, path, wanted.version, default_version)
        return cls(content, replace(wanted, version=version, counter=counter), notes)

    def bundle_for(self, slot: Slot, counter: int) -> tuple[Bundle, tuple[WarningEvent, ...]]:
        """The bundle for a slot; `counter` is the security counter where none is stated. Raises ImageError."""
        wanted = self.wanted
        bundle, warnings = bundle_for(
            self.content,
            slot,
            version=parse_version(wanted.version or DEFAULT_VERSION),
            counter=counter if wanted.counter is None else wanted.counter,
            single_slot=wanted.single_slot,
            move=wanted.move,
        )
        return bundle, (*self.notes, *(WarningEvent(w.id, w.text) for w in warnings))


def _version_of(
    content: Firmware, path: Path, wanted: str | None, default: str | None
) -> tuple[str, tuple[WarningEvent, ...]]:
    """What is wanted, else what the program says of itself, else the default. Raises UsageError."""
    own = content.about.version
    version = next((stated for stated in (wanted, own, default) if stated is not None), DEFAULT_VERSION)
    if version == GIT:
        version, warnings = git_version(path)
        return version, tuple(WarningEvent(w.id, w.text) for w in warnings)
    if parse_version(version) != parse_version(own or version):
        text = f"the program says that it is version {own}; it is offered as {version}, as you say"
        return version, (WarningEvent("version-differs", text),)
    return version, ()


def check_board(info: Info, expected: str | None) -> None:
    """Raises OtaflashError if the device is another board than the one that the user means: nobody's file is wrong."""
    if expected is not None and board_of(info) != expected:
        text = f"the board calls itself {board_of(info)}, not {expected or 'nothing'}"
        raise OtaflashError(
            "wrong-board",
            text,
            remedy="choose the other board with --port, or correct --board",
            fault=Fault.USER,
            exit_code=ExitCode.IMAGE_REFUSED,
        )


def parse_version(text: str) -> Version:
    """``1.2.3`` or ``1.2.3+4``. Raises UsageError."""
    try:
        return Version.parse(text)
    except ValueError as error:
        raise UsageError("bad-version", str(error), remedy="write it as 1.2.3 or 1.2.3+4") from error
