"""One question or order to a device: info, confirm, revert, reboot. Believes Inspect alone; knows no update."""

from __future__ import annotations

from enum import Enum

from otaflash.engine import failures
from otaflash.engine.channel import LinkShape
from otaflash.engine.events import Done, Result
from otaflash.engine.exchange import Exchange
from otaflash.engine.finishing import Telling
from otaflash.engine.inspecting import ANY, Inspecting
from otaflash.wire.messages import BootState, Confirm, Info, Reason, Reboot, Revert, Version

LOOK_AGAIN_S = 0.1
AFTER_REVERT_S = 90.0
"""A revert swaps two slots back in silence; the device does not say for how long."""


class Operation(Enum):
    """What is asked of the device."""

    INFO = "info"
    CONFIRM = "confirm"
    REVERT = "revert"
    REBOOT = "reboot"


class Request(Exchange):
    """Inspects, then does one operation on the image that Inspect showed, then inspects again."""

    def __init__(self, shape: LinkShape, session: int, operation: Operation, *, target: bytes = ANY) -> None:
        super().__init__(shape, session)
        self._operation = operation
        self._target = target
        self._named: int | None = None
        """CRC of the image that the operation is about."""
        self._answer: int | None = None

    def _first_step(self, now: float) -> None:
        self._inspect(now, 0.0)

    def _inspect(self, now: float, not_before: float) -> None:
        step = Inspecting(self._channel, self._on_info, self._fail, target=self._target, not_before=not_before)
        self._go(step, "inspect", now)

    def _on_info(self, info: Info, now: float) -> None:
        self.info = info
        self._target = info.uid
        match self._operation:
            case Operation.INFO:
                self._done(info, now)
            case Operation.CONFIRM:
                self._confirm(info, now)
            case Operation.REVERT:
                self._revert(info, now)
            case Operation.REBOOT:
                self._reboot(info, now)

    def _confirm(self, info: Info, now: float) -> None:
        if info.boot_state == BootState.TRIAL and self._named in (None, info.image_crc):
            self._refuse_or_tell(info.image_crc, Confirm(info.image_crc), "to confirm the image", now)
        elif self._named not in (None, info.image_crc):
            self._fail(failures.reverted())
        elif info.boot_state == BootState.IDLE:
            self._done(info, now)
        else:
            self._fail(failures.refused(Reason.NO_TRIAL, "to confirm an image"))

    def _revert(self, info: Info, now: float) -> None:
        if info.boot_state == BootState.TRIAL and self._named in (None, info.image_crc):
            self._refuse_or_tell(info.image_crc, Revert(info.image_crc), "to revert the image", now)
        elif self._named is not None and info.image_crc != self._named and info.boot_state == BootState.IDLE:
            self._done(info, now)
        elif self._named is None:
            self._fail(failures.refused(Reason.NO_TRIAL, "to revert an image"))
        else:
            self._fail(failures.refused(Reason.ALREADY_CONFIRMED, "to revert the image"))

    def _reboot(self, info: Info, now: float) -> None:
        if self._named is None:
            self._refuse_or_tell(info.image_crc, Reboot(info.uid), "to restart", now)
        else:
            self._done(info, now)

    def _refuse_or_tell(self, crc: int, message: Confirm | Revert | Reboot, what: str, now: float) -> None:
        """Tells, unless the device has said no to the same before."""
        if self._answer not in (None, Reason.OK, Reason.WRONG_IMAGE):
            self._fail(failures.refused(int(self._answer or 0), what))
            return
        self._named = crc
        self._go(Telling(self._shared, message, f"an answer {what}", self._on_told), self._operation.value, now)

    def _on_told(self, reason: int | None, wait_ms: int, now: float) -> None:
        """Whatever was answered, or not, the next Inspect shows what came of it."""
        self._answer = reason
        if self._operation is Operation.REVERT and reason in (None, Reason.OK):
            self._be_patient(now + AFTER_REVERT_S)
        if reason not in (None, Reason.OK) and self._operation is Operation.REBOOT:
            self._fail(failures.refused(int(reason or 0), "to restart"))
            return
        self._inspect(now, now + LOOK_AGAIN_S)

    def _done(self, info: Info, now: float) -> None:
        began = self._shared.clockwork.began_at
        version = str(Version.unpack(info.version)) if info.image_bytes else ""
        self._finish(
            Done(
                Result(
                    info=info,
                    running_version=version,
                    image_bytes=info.image_bytes,
                    wire_bytes_down=self._channel.wire_bytes_down,
                    wire_bytes_up=self._channel.wire_bytes_up,
                    seconds=now - (now if began is None else began),
                    line_rate_bytes_per_s=self._channel.shape.rate_bytes_per_s,
                )
            )
        )
