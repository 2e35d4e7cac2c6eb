"""The steps after staging: waiting for the digest, and telling the device what to do. Know no other step."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

from otaflash.engine.asking import Asking
from otaflash.engine.channel import Heard
from otaflash.engine.steps import Shared
from otaflash.wire.messages import (
    REPLY,
    ApplyReply,
    ConfirmReply,
    EnterReply,
    Kind,
    RebootReply,
    Refused,
    Report,
    ReportReply,
    Request,
    RevertReply,
    TransferState,
)

REASONS = (EnterReply, ConfirmReply, RevertReply, RebootReply)
POLL_S = 0.05
STUCK_S = 60.0
APPLY_TRIES = 3


class Digest(Enum):
    """What waiting for the digest came to."""

    RIGHT = auto()
    WRONG = auto()
    MISSING = auto()
    """Blocks are missing after all."""
    LOST = auto()
    FLASH_FAILED = auto()
    STUCK = auto()


_DIGESTS = {
    TransferState.VERIFIED: Digest.RIGHT,
    TransferState.DAMAGED: Digest.WRONG,
    TransferState.FAILED: Digest.FLASH_FAILED,
    TransferState.RECEIVING: Digest.MISSING,
    TransferState.OFFERING: Digest.LOST,
    TransferState.NONE: Digest.LOST,
}


class Verifying:
    """Asks for reports, not too often, until the device has made its digest. `on_end` is called once."""

    awaited = "the digest of the image"

    def __init__(self, shared: Shared, on_end: Callable[[Digest, float], None]) -> None:
        self._channel = shared.channel
        self._on_end = on_end
        self._asking = Asking(self._channel, lambda: Report(0xFFFF))
        self._hashed = -1
        self._hashed_at: float | None = None

    def poll(self, now: float) -> None:
        self._asking.poll(now)

    def deadline(self) -> float:
        return self._asking.deadline()

    def again(self, now: float) -> None:
        self._asking.again_at(now)

    def heard(self, heard: Heard, now: float) -> None:
        if not self._asking.answers(heard):
            return
        reply = heard.message
        if isinstance(reply, Refused):
            self._on_end(Digest.LOST, now)
        elif isinstance(reply, ReportReply):
            self._on_report(reply, now)

    def _on_report(self, reply: ReportReply, now: float) -> None:
        digest = _DIGESTS.get(TransferState(reply.state & 0x7F)) if reply.state & 0x7F <= 6 else Digest.LOST
        if digest is not None:
            self._on_end(digest, now)
            return
        if reply.hashed != self._hashed or self._hashed_at is None:
            self._hashed, self._hashed_at = reply.hashed, now
        if now - self._hashed_at > STUCK_S:
            self._on_end(Digest.STUCK, now)
            return
        self._asking.again_at(now + max(POLL_S, self._channel.rtt.estimate_s() / 2))


class Telling:
    """A request that is answered by a reason: Enter, Confirm, Revert, Reboot, Apply.

    `on_end` gets the reason and wait_ms, or None after `tries` unanswered requests: then only Inspect tells."""

    def __init__(
        self,
        shared: Shared,
        message: Request,
        awaited: str,
        on_end: Callable[[int | None, int, float], None],
        *,
        tries: int = APPLY_TRIES,
        extra_s: float = 0.0,
    ) -> None:
        self.awaited = awaited
        self._asking = Asking(shared.channel, lambda: message, extra_s)
        self._kind = message.kind
        self._on_end = on_end
        self._tries = tries

    def poll(self, now: float) -> None:
        if self._asking.times >= self._tries and now >= self._asking.deadline() - 1e-9:
            self._on_end(None, 0, now)
        else:
            self._asking.poll(now)

    def deadline(self) -> float:
        return self._asking.deadline()

    def again(self, now: float) -> None:
        """Whether it was done before the connection broke, Inspect tells: a second Reboot would be one too many."""
        self._on_end(None, 0, now)

    def heard(self, heard: Heard, now: float) -> None:
        reply = heard.message
        if not self._asking.answers(heard):
            return
        if isinstance(reply, Refused) and reply.request == self._kind:
            self._on_end(reply.reason, 0, now)
        elif isinstance(reply, ApplyReply) and self._kind == Kind.APPLY:
            self._on_end(reply.reason, reply.wait_ms, now)
        elif isinstance(reply, REASONS) and reply.kind == self._kind | REPLY:
            self._on_end(reply.reason, 0, now)
