"""Errors of the whole package: each says what happened, whose fault it is, and what to do next."""

from __future__ import annotations

from enum import Enum, IntEnum


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


class Fault(Enum):
    """Whose fault an error is."""

    USER = "user"
    IMAGE = "image"
    LINK = "link"
    DEVICE = "device"
    OURS = "otaflash"


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

    def __init__(self, reason: str, text: str, *, remedy: str) -> None:
        super().__init__(reason, text, remedy=remedy, fault=Fault.IMAGE, exit_code=ExitCode.IMAGE_REFUSED)


class TargetError(OtaflashError):
    """No board, or more than one, or it cannot be opened: exit code 3."""

    def __init__(self, reason: str, text: str, *, remedy: str) -> None:
        super().__init__(reason, text, remedy=remedy, fault=Fault.USER, exit_code=ExitCode.NO_TARGET)


class LinkError(OtaflashError):
    """The link broke or fell silent: exit code 4. The board keeps what it ran."""

    def __init__(self, reason: str, text: str, *, remedy: str) -> None:
        super().__init__(reason, text, remedy=remedy, fault=Fault.LINK, exit_code=ExitCode.LINK_LOST)


class UsageError(OtaflashError):
    """The command line or the configuration is wrong: exit code 2."""

    def __init__(self, reason: str, text: str, *, remedy: str) -> None:
        super().__init__(reason, text, remedy=remedy, fault=Fault.USER, exit_code=ExitCode.USAGE)
