"""Errors of the whole package: each says what happened, whose fault it is, and what to do next."""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import Final


class ExitCode(IntEnum):
    """What a command ends with (DESIGN: the host tool)."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    NO_TARGET = 3
    LINK_LOST = 4
    IMAGE_REFUSED = 5
    VERIFY_FAILED = 6
    NOT_CONFIRMED = 7
    CAMPAIGN_PARTIAL = 8
    INTERRUPTED = 130

    @property
    def meaning(self) -> str:
        """Half a sentence, for people."""
        return _MEANINGS[self]


_MEANINGS: Final = {
    ExitCode.OK: "done: verified and running",
    ExitCode.INTERNAL: "a bug of otaflash",
    ExitCode.USAGE: "the command line or the configuration is wrong",
    ExitCode.NO_TARGET: "no board, several, or it cannot be opened",
    ExitCode.LINK_LOST: "the link was lost, or nobody answers",
    ExitCode.IMAGE_REFUSED: "the image, or what was asked of the board, was refused, and nothing was changed",
    ExitCode.VERIFY_FAILED: "the image arrived and failed its check",
    ExitCode.NOT_CONFIRMED: "the new program did not come up; the old one runs, or will",
    ExitCode.CAMPAIGN_PARTIAL: "some boards of a campaign failed",
    ExitCode.INTERRUPTED: "interrupted; push again to resume",
}


class Fault(Enum):
    """Whose fault an error is."""

    USER = "user"
    IMAGE = "image"
    LINK = "link"
    DEVICE = "device"
    OURS = "otaflash"

    @property
    def whose(self) -> str:
        """Who or what that is, for people."""
        return _WHOSE[self]


_WHOSE: Final = {
    Fault.USER: "the command, its set-up or this computer",
    Fault.IMAGE: "the image file",
    Fault.LINK: "the link to the board",
    Fault.DEVICE: "the board",
    Fault.OURS: "otaflash itself",
}


class OtaflashError(Exception):
    """One failure, told once.

    `reason` is a stable identifier in kebab-case (``hex-truncated``), for scripts; `text` one sentence; `remedy` one
    sentence that says what to do next; `exit_code` what the command ends with.
    """

    def __init__(self, reason: str, text: str, *, remedy: str, fault: Fault, exit_code: ExitCode) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text
        self.remedy = remedy
        self.fault = fault
        self.exit_code = exit_code


class ImageError(OtaflashError):
    """The file cannot be used: exit code 5, and nothing was sent."""

    FAULT: Final = Fault.IMAGE
    CODE: Final = ExitCode.IMAGE_REFUSED

    def __init__(self, reason: str, text: str, *, remedy: str) -> None:
        super().__init__(reason, text, remedy=remedy, fault=self.FAULT, exit_code=self.CODE)


class TargetError(OtaflashError):
    """No board, or more than one, or it cannot be opened: exit code 3."""

    FAULT: Final = Fault.USER
    CODE: Final = ExitCode.NO_TARGET

    def __init__(self, reason: str, text: str, *, remedy: str) -> None:
        super().__init__(reason, text, remedy=remedy, fault=self.FAULT, exit_code=self.CODE)


class LinkError(OtaflashError):
    """The link broke or fell silent: exit code 4. The board keeps what it ran."""

    FAULT: Final = Fault.LINK
    CODE: Final = ExitCode.LINK_LOST

    def __init__(self, reason: str, text: str, *, remedy: str) -> None:
        super().__init__(reason, text, remedy=remedy, fault=self.FAULT, exit_code=self.CODE)


class UsageError(OtaflashError):
    """The command line or the configuration is wrong: exit code 2."""

    FAULT: Final = Fault.USER
    CODE: Final = ExitCode.USAGE

    def __init__(self, reason: str, text: str, *, remedy: str) -> None:
        super().__init__(reason, text, remedy=remedy, fault=self.FAULT, exit_code=self.CODE)
