"""The whole update: which step follows which. What runs is believed from Inspect alone; knows no frame and no block."""

from __future__ import annotations

from collections.abc import Callable

from otaflash.engine import failures
from otaflash.engine.channel import LinkShape
from otaflash.engine.ends import Outcome, Resume
from otaflash.engine.events import Done, NeedBundle, Result
from otaflash.engine.exchange import Exchange
from otaflash.engine.finishing import Digest, Telling, Verifying
from otaflash.engine.inspecting import ANY, Inspecting
from otaflash.engine.offerable import Offerable, runs
from otaflash.engine.sizing import BLOCK_OVERHEAD
from otaflash.engine.staging import Staging
from otaflash.errors import OtaflashError
from otaflash.wire.messages import Apply, BootState, Confirm, Enter, Info, Mode, Reason, Reboot, Version

RESTARTS_MAX = 50
ENTER_TRIES = 20
ENTER_LEAST_S = 6.0
"""A program heeds no Enter in its first 3 s (PROTOCOL.md, section 6); on a quick line 20 tries take less."""
APPLIES_MAX = 2
REPAIRS_MAX = 9
LOOK_AGAIN_S = 0.1
NUDGE_AFTER_S = 2.0
NUDGE_AT_MOST_S = 32.0
"""Each Reboot begins the loader's entry window anew: one that is longer than the pause before the next never ends."""
COMING_UP_S = 15.0


class Push(Exchange):
    """Brings one image onto one device and sees it run.

    `session` is drawn at random by the caller (1 to 65535). `resume`: True if an earlier push is known to have got
    somewhere, False if not, None to find out. `confirm`: False leaves the new image on trial, running.
    `force` sends the image even where it runs already. `target` is the unique id of the device meant; all zero: whoever
    answers.
    After ``NeedBundle`` the caller answers with `use_bundle`; the engine sends nothing meanwhile.
    """

    def __init__(
        self,
        shape: LinkShape,
        session: int,
        *,
        resume: bool | None = None,
        confirm: bool = True,
        force: bool = False,
        target: bytes = ANY,
    ) -> None:
        super().__init__(shape, session)
        self._resume = {True: Resume.SURVEY, False: Resume.NO, None: Resume.PROBE}[resume]
        self._confirm = confirm
        self._force = force
        self._target = target
        self._bundle: Offerable | None = None
        self._staged_before = False
        self._applies = 0
        self._applied = False
        self._trial_seen = False
        self._doubted = False
        self._enters = 0
        self._first_enter_at = 0.0
        self._restarts = 0
        self._repairs = 0
        self._nudge_at: float | None = None
        self._nudge_s = NUDGE_AFTER_S
        self._confirm_refused: int | None = None

    def use_bundle(self, bundle: Offerable, now: float) -> None:
        """The answer to ``NeedBundle``."""
        info = self.info
        if self._over or info is None or self._bundle is not None:
            return
        if bundle.page_bytes != info.page_bytes or len(bundle.span) % bundle.page_bytes:
            why = f"made for pages of {bundle.page_bytes} bytes, the device has {info.page_bytes}"
            self._fail(failures.image_unfit(why))
            return
        if len(bundle.span) // info.block_bytes > 0xFFFF:
            self._fail(failures.image_unfit(f"{len(bundle.span)} bytes are more blocks than the protocol can number"))
            return
        self._bundle = bundle
        self._be_patient(now)
        self._decide(info, now)

    # --- inspect, and what follows from it

    def _first_step(self, now: float) -> None:
        self._inspect(now, "inspect")

    def _inspect(self, now: float, phase: str, *, not_before: float = 0.0) -> None:
        awaited = "the new image to come up" if self._applied else "an answer to Inspect"
        step = Inspecting(
            self._channel, self._on_info, self._fail, target=self._target, not_before=not_before, awaited=awaited
        )
        self._go(step, phase, now)

    def _on_info(self, info: Info, now: float) -> None:
        self.info = info
        self._target = info.uid
        if self._bundle is None:
            self._step = None
            self._shared.clockwork.enter("bundle", now)
            self._shared.events.append(NeedBundle(info))
            return
        self._decide(info, now)

    def _decide(self, info: Info, now: float) -> None:
        """The table of DESIGN.md, "Truth"."""
        bundle = self._bundle
        assert bundle is not None
        whole = info.boot_state != BootState.NO_IMAGE
        if info.boot_state == BootState.SWAPPING:
            self._fail(failures.mid_swap())
        elif self._runs_ours(info, bundle):
            self._decide_ours(info, now)
        elif info.boot_state == BootState.TRIAL:
            self._fail_if_said_twice(failures.refused(Reason.TRIAL_PENDING, "the image"), now)
        elif self._applied and (self._trial_seen or self._applies >= APPLIES_MAX) and whole:
            self._fail_if_said_twice(failures.reverted(), now)
        elif self._applies >= APPLIES_MAX:
            self._fail(failures.not_verified("it was swapped in, and nothing whole is there to start"))
        elif info.mode == Mode.APPLICATION or (info.mode == Mode.STAGING and bundle.single_slot):
            self._enter(info, now)  # an application cannot take an image into the slot that it runs in
        else:
            self._stage(info, now)

    def _runs_ours(self, info: Info, bundle: Offerable) -> bool:
        if self._force and not self._applied and info.boot_state == BootState.IDLE:
            return False  # what runs is the same image, and not the one that was sent
        return runs(info, bundle)

    def _fail_if_said_twice(self, error: OtaflashError, now: float) -> None:
        """After Apply one misread byte of what the device says of itself must not make a failure of a success."""
        if self._doubted or not self._applied:
            self._fail(error)
            return
        self._doubted = True
        self._inspect(now, self._shared.clockwork.phase)

    def _decide_ours(self, info: Info, now: float) -> None:
        self._doubted = False
        clockwork = self._shared.clockwork
        trial = info.boot_state == BootState.TRIAL
        self._trial_seen |= trial
        if info.mode == Mode.LOADER:
            self._wait_for_application(info, now)
            return
        if clockwork.up_at is None:
            clockwork.up_at = now
        if trial and self._confirm_refused is not None:
            self._fail(failures.refused(self._confirm_refused, "to confirm the image"))
        elif trial and self._confirm:
            self._tell(Confirm(info.image_crc), "an answer to Confirm", self._on_confirm, "confirm", now)
        else:
            self._finish(Done(self._result(info, now)))

    def _wait_for_application(self, info: Info, now: float) -> None:
        """The loader speaks: it leaves for the image by itself soon, or after a Reboot."""
        if self._nudge_at is None:
            self._nudge_s = NUDGE_AFTER_S
            self._nudge_at = now + self._nudge_s
        if now < self._nudge_at:
            self._inspect(now, "start", not_before=now + LOOK_AGAIN_S)
            return
        self._nudge_s = min(2 * self._nudge_s, NUDGE_AT_MOST_S)
        self._nudge_at = now + self._nudge_s
        self._tell(Reboot(info.uid), "an answer to Reboot", lambda *_: self._inspect(_[2], "start"), "start", now)

    # --- enter and stage

    def _tell(
        self,
        message: Apply | Confirm | Enter | Reboot,
        awaited: str,
        on_end: Callable[[int | None, int, float], None],
        phase: str,
        now: float,
    ) -> None:
        self._go(Telling(self._shared, message, awaited, on_end), phase, now)

    def _enter(self, info: Info, now: float) -> None:
        if self._enters == 0:
            self._first_enter_at = now
        self._enters += 1
        if self._enters > ENTER_TRIES and now - self._first_enter_at > ENTER_LEAST_S:
            self._fail(failures.will_not_enter())
            return
        if self._shared.clockwork.down_at is None:
            self._shared.clockwork.down_at = now  # the program ends here
        self._tell(Enter(info.uid), "an answer to Enter", self._on_enter, "enter", now)

    def _on_enter(self, reason: int | None, wait_ms: int, now: float) -> None:
        if reason not in (None, Reason.OK):
            self._fail(failures.refused(int(reason or 0), "to enter the loader"))
            return
        self._inspect(now, "enter", not_before=now + LOOK_AGAIN_S / 2)

    def _stage(self, info: Info, now: float, resume: Resume | None = None) -> None:
        assert self._bundle is not None
        shape = self._channel.shape
        if not shape.stream and shape.frame_bytes < info.block_bytes + BLOCK_OVERHEAD:
            self._fail(failures.frames_too_small(shape.frame_bytes, info.block_bytes))
            return
        self._enters = 0
        if self._staged_before:
            self._channel.new_session()
        chosen = resume or (Resume.SURVEY if self._staged_before else self._resume)
        if chosen is Resume.PROBE and self._bundle.single_slot:
            # No block along with the question: over pages that the device may hold it would undo what it vouches for.
            chosen = Resume.SURVEY if info.boot_state == BootState.NO_IMAGE else Resume.NO
        self._staged_before = True
        if self._bundle.single_slot and self._shared.clockwork.down_at is None:
            self._shared.clockwork.down_at = now  # the running image goes with the first block
        step = Staging(
            self._shared, info, self._bundle, chosen, on_end=self._on_staged, on_refused=self._on_offer_refused
        )
        self._go(step, "transfer", now)

    def _on_offer_refused(self, reason: int) -> None:
        if reason == Reason.IN_APPLICATION:
            return
        self._fail(failures.refused(reason, "the image"))

    def _on_staged(self, outcome: Outcome, now: float) -> None:
        if outcome is Outcome.FLASH_FAILED:
            self._fail(failures.refused(Reason.FLASH_FAILED, "more blocks"))
        elif outcome is Outcome.LOST:
            self._lost(now)
        else:
            if self._shared.clockwork.held_at is None:
                self._shared.clockwork.held_at = now
            self._go(Verifying(self._shared, self._on_digest), "verify", now)

    def _lost(self, now: float) -> None:
        """The session is gone: the device restarted, or left. Inspect tells what is true now."""
        self._restarts += 1
        if self._restarts > RESTARTS_MAX:
            self._fail(failures.unstable())
            return
        self._inspect(now, "inspect")

    # --- digest, apply, confirm

    def _on_digest(self, digest: Digest, now: float) -> None:
        match digest:
            case Digest.RIGHT:
                self._apply(now)
            case Digest.WRONG:
                self._repair(now)
            case Digest.MISSING:
                self._restage(Resume.NO, now)
            case Digest.LOST:
                self._lost(now)
            case Digest.FLASH_FAILED:
                self._fail(failures.refused(Reason.FLASH_FAILED, "more blocks"))
            case Digest.STUCK:
                self._fail(failures.not_verified("the device does not get on with the digest"))

    def _repair(self, now: float) -> None:
        self._repairs += 1
        self._shared.clockwork.held_most = 0
        if self._repairs > REPAIRS_MAX:
            self._fail(failures.not_verified("the digest is still wrong after repairs"))
            return
        self._restage(Resume.REPAIR, now)

    def _restage(self, resume: Resume, now: float) -> None:
        """Offers again: within one boot the same manifest keeps the map of held blocks."""
        assert self.info is not None
        self._stage(self.info, now, resume)

    def _apply(self, now: float) -> None:
        clockwork = self._shared.clockwork
        if clockwork.verified_at is None:
            clockwork.verified_at = now
        if clockwork.down_at is None:
            clockwork.down_at = now
        self._tell(Apply(), "an answer to Apply", self._on_apply, "apply", now)

    def _on_apply(self, reason: int | None, wait_ms: int, now: float) -> None:
        if reason in (None, Reason.NO_SESSION, Reason.IN_APPLICATION):
            self._inspect(now, "start")
        elif reason == Reason.OK:
            self._applies += 1
            self._applied = True
            self._nudge_at = None
            self._be_patient(now + wait_ms / 1000)
            self._inspect(now, "start", not_before=now + LOOK_AGAIN_S)
        elif reason == Reason.NOT_VERIFIED:
            self._go(Verifying(self._shared, self._on_digest), "verify", now)
        elif reason == Reason.DIGEST_MISMATCH:
            self._repair(now)
        else:
            self._fail(failures.refused(int(reason or 0), "to apply the image"))

    def _on_confirm(self, reason: int | None, wait_ms: int, now: float) -> None:
        """Whatever the answer was, the next Inspect shows what came of it."""
        if reason not in (None, Reason.OK, Reason.WRONG_IMAGE):
            self._confirm_refused = reason
        self._inspect(now, "confirm")

    def _give_up(self) -> None:
        """Silence after Apply is not the link's fault alone: the new image may be one that does not answer."""
        heard_at = self._channel.heard_at
        if self._applied and heard_at is not None and self._shared.clockwork.up_at is None:
            self._fail(failures.new_image_silent(COMING_UP_S))
        else:
            super()._give_up()

    def _silence_limit_s(self) -> float:
        if self._applied and self._shared.clockwork.up_at is None:
            return COMING_UP_S
        return super()._silence_limit_s()

    # --- numbers

    def _result(self, info: Info, now: float) -> Result:
        clockwork, bundle = self._shared.clockwork, self._bundle
        clockwork.enter("", now)
        assert bundle is not None
        rate = self._channel.shape.rate_bytes_per_s
        transfer_s = span(clockwork.began_at, clockwork.held_at)
        ratio = bundle.image_bytes / transfer_s / rate if rate and transfer_s > 0 else None
        return Result(
            info=info,
            running_version=str(Version.unpack(info.version)),
            image_bytes=bundle.image_bytes,
            wire_bytes_down=self._channel.wire_bytes_down,
            wire_bytes_up=self._channel.wire_bytes_up,
            seconds=span(clockwork.began_at, now),
            transfer_seconds=transfer_s,
            verify_seconds=span(clockwork.held_at, clockwork.verified_at),
            downtime_seconds=span(clockwork.down_at, clockwork.up_at),
            line_rate_bytes_per_s=rate,
            goodput_ratio=ratio,
            retransmitted_blocks=clockwork.retransmitted,
            already_running=not self._staged_before,
            spare_blocks=clockwork.spares,
            phases=tuple(clockwork.phases.items()),
        )


def span(start: float | None, stop: float | None) -> float:
    """Seconds from `start` to `stop`; 0 if either never came."""
    return 0.0 if start is None or stop is None else max(stop - start, 0.0)
