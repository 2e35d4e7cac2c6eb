"""Small scenarios for the tests beside it, and engines that lie."""

from __future__ import annotations

from dataclasses import replace

from otaflash.bench.soak.hosts import MakePush, real_push
from otaflash.bench.soak.scenario import BoardSpec, HostSpec, ImageSpec, Round, Scenario
from otaflash.engine import Done, Event, Failed, LinkShape, Offerable, Push, Result
from otaflash.errors import ExitCode, Fault, OtaflashError
from otaflash.wire.messages import BootState, Info

FACTORY, FIRST, LAST = range(3)

PLAIN = Scenario(
    seed=1,
    board=BoardSpec("tiny2"),
    images=(ImageSpec(60, seed=1), ImageSpec(200, seed=2), ImageSpec(90, seed=3)),
    rounds=(Round((HostSpec(image=FIRST),)),),
)
"""One push, confirmed, and the last."""

ON_TRIAL = replace(PLAIN, rounds=(Round((HostSpec(image=FIRST, confirm=False),)),))
"""The first image is left on trial."""

REFUSED = replace(PLAIN, images=(PLAIN.images[0], ImageSpec(60, seed=2, unfit="board"), PLAIN.images[2]))
"""The first image is for another board."""


class SaysDone(Push):
    """Reports success as soon as it knows what to bring."""

    def use_bundle(self, bundle: Offerable, now: float) -> None:
        info = self.info
        assert info is not None
        claimed = replace(
            info, image_crc=bundle.image_crc, image_bytes=bundle.image_bytes, boot_state=BootState.IDLE, mode=1
        )
        self._finish(Done(Result(claimed, "1.1.0", bundle.image_bytes)))


class NeverConfirms(Push):
    """Calls an image on trial confirmed, and says nothing to the board."""

    def _decide_ours(self, info: Info, now: float) -> None:
        kept = replace(info, boot_state=BootState.IDLE) if info.mode == 1 else info
        super()._decide_ours(kept, now)


class NeverEnds(Push):
    """Asks for a second more, for ever."""

    def events(self) -> list[Event]:
        return [event for event in super().events() if not isinstance(event, Done | Failed)]

    def next_deadline(self) -> float | None:
        due = super().next_deadline()
        self.asked = getattr(self, "asked", 0.0) + 1.0
        return self.asked if due is None else due


class StandsStill(Push):
    """Asks to be woken at once, whenever it is woken."""

    def next_deadline(self) -> float | None:
        return 0.0


class Raises(Push):
    """Has a bug."""

    def use_bundle(self, bundle: Offerable, now: float) -> None:
        raise IndexError("list index out of range")


class BlamesItself(Push):
    """Ends in an internal error."""

    def use_bundle(self, bundle: Offerable, now: float) -> None:
        why = OtaflashError("oops", "it went wrong", remedy="-", fault=Fault.OURS, exit_code=ExitCode.INTERNAL)
        self._finish(Failed(why))


class GivesUp(Push):
    """Says that the link is lost, whatever the link does."""

    def use_bundle(self, bundle: Offerable, now: float) -> None:
        why = OtaflashError("link-lost", "gone", remedy="-", fault=Fault.LINK, exit_code=ExitCode.LINK_LOST)
        self._finish(Failed(why))


def lying(liar: type[Push], *, in_first_only: bool = True) -> MakePush:
    """Makes pushes of that kind; the last one, which brings image 2, is honest if `in_first_only`."""

    def make(shape: LinkShape, session: int, spec: HostSpec) -> Push:
        if in_first_only and spec.image != FIRST:
            return real_push(shape, session, spec)
        return liar(shape, session, resume=spec.resume, confirm=spec.confirm)

    return make
