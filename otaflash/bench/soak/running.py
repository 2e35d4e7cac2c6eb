"""Lives a scenario in a world of its own: one board with the real core, hosts with the real engine, faults, a judge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from otaflash.bench.soak import judging
from otaflash.bench.soak.hosts import EngineStands, Host, MakePush, real_push
from otaflash.bench.soak.images import Made, make_images
from otaflash.bench.soak.judging import Judge, Wrong
from otaflash.bench.soak.looking import Looking
from otaflash.bench.soak.scenario import FACTORY, Fault, HostSpec, ImageSpec, Round, Scenario
from otaflash.engine import Done, Failed, LinkShape
from otaflash.sim.app import Application, Applications, Behaviour, RunningImage
from otaflash.sim.native import NativeBoard
from otaflash.sim.radio import LinkModel, Way
from otaflash.sim.station import Place, Power
from otaflash.sim.world import World
from otaflash.wire import encode, on_stream
from otaflash.wire.cobs import cobs_decode
from otaflash.wire.messages import Enter, Kind

BOUND_S = 1800.0
"""A host that has not ended by then never will: 180 s without a step forward end it, and few steps are so slow."""
SETTLES_S = 1.5
LAST_TRIES = 8
PUSH_BUTTON_S = 1.7
"""So often a user resets a board that does not listen, while the last push asks for it."""

_TOLD = {Kind.OFFER: "offer", Kind.APPLY: "apply", Kind.CONFIRM: "confirm", Kind.REVERT: "revert"}


@dataclass(slots=True)
class Lived:
    """What a scenario came to. `story` is there if it was asked for: time in seconds, and what happened."""

    wrongs: list[Wrong] = field(default_factory=list)
    updates: int = 0
    done: int = 0
    cuts: int = 0
    resets: int = 0
    host_kills: int = 0
    refusals: int = 0
    reverts: int = 0
    longest_s: float = 0.0
    virtual_s: float = 0.0
    story: list[tuple[float, str]] = field(default_factory=list)
    ends: dict[str, int] = field(default_factory=dict)
    """how hosts ended: "done", or the reason of the error"""


def live(
    scenario: Scenario,
    *,
    tell: bool = False,
    make_push: MakePush = real_push,
    meddle: Callable[[Soak], None] = lambda soak: None,
) -> Lived:
    """Runs a scenario to its end, always the same way. `make_push` and `meddle` (before anything runs) let a test put a
    liar into it. Whatever engine or core raise is a violation like others."""
    soak = Soak(scenario, tell=tell, make_push=make_push)
    meddle(soak)
    soak.run()
    return soak.lived


class Soak:
    """One scenario on its way; also the watcher of its hosts."""

    def __init__(self, scenario: Scenario, *, tell: bool = False, make_push: MakePush = real_push) -> None:
        self.scenario = scenario
        self.lived = Lived()
        self._tell = tell
        self._make_push = make_push
        self.profile = scenario.board.profile().at_baud(round(scenario.down.rate))
        self.images: list[Made] = make_images(scenario.images, self.profile)
        self.world = World(f"soak/{scenario.seed}", trace=None)
        self.board = NativeBoard(self.profile, self.world.stream("board").getrandbits(64))
        factory = self.images[FACTORY].span
        self.board.flash[: len(factory)] = factory
        if scenario.worn_page >= 0:
            self.board.wear_out(self.profile.slot_pages + scenario.worn_page, scenario.worn_how)
        self.looking = Looking(self.board, self.images, scenario.weak)
        self.judge = Judge(self.images, self.looking, self.profile.trials, lambda: self.world.now)
        self._sessions = self.world.stream("sessions")
        self._hosts: list[Host] = []
        self._era = 0
        """which round it is; the last push is one of its own"""
        self._at_last = False
        self._open = 0
        """hosts that have not ended"""
        self._waiting: list[Fault] = []
        self._began: dict[int, float] = {}
        self.port = self.world.add(
            self.board,
            LinkModel(scenario.down, scenario.up),
            name="board",
            applications=Applications(by_image={made.crc: application_of(made.spec) for made in self.images}),
            power=Power(weak=scenario.weak),
            image_of=self._image_of,
            enter_frame=on_stream(encode(Enter(self.board.uid), 1, 0)),
        )
        self.port.on_receive = self._receive
        self.station = self.port.station
        self.station.on_jump = self._jumped

    # --- the run --------------------------------------------------------------------------------------------

    def run(self) -> None:
        """All rounds, the rest, and the last push."""
        try:
            self.world.run_until(SETTLES_S)
            for number, each in enumerate(self.scenario.rounds):
                self.note(f"round {number}")
                if not self._round(each):
                    break
            else:
                self._last()
        except EngineStands as error:
            self.judge.wrong(judging.STUCK, str(error))
        except Exception as error:  # whatever it is, nothing may be raised
            self.judge.wrong(judging.CRASHED, f"{type(error).__name__}: {error}")
        counters, lived = self.station.counters, self.lived
        lived.cuts, lived.resets, lived.virtual_s = len(counters.cuts), counters.resets, self.world.now
        lived.reverts = self.judge.reverts
        lived.wrongs = self.judge.wrongs
        for wrong in lived.wrongs:
            self.note(f"WRONG ({wrong.kind}): {wrong.text}", wrong.at_s)

    def note(self, text: str, at_s: float | None = None) -> None:
        """Adds a line to the story, if one is told; `at_s`: virtual time in seconds, now if left out."""
        if self._tell:
            self.lived.story.append((self.world.now if at_s is None else at_s, text))

    def _round(self, each: Round) -> bool:
        """False: a host did not end."""
        self._era += 1
        self._waiting = list(each.faults)
        refused = self._refusal_watch(each)
        hosts = [self._host(spec) for spec in each.hosts]
        self._begin(hosts)
        if not self._run_hosts(hosts):
            return False
        refused()
        self._rest(each.rest_s)
        self.judge.cuts = len(self.station.counters.cuts)
        self.judge.rested()
        self.judge.wear(self.board.erases.tolist(), worn=self.scenario.worn_page >= 0)
        return not self.judge.wrongs

    def _host(self, spec: HostSpec) -> Host:
        image = self.images[spec.image] if spec.order == "push" else None
        shape = LinkShape(self.scenario.down.rate / 10 if spec.knows_rate else None)
        return Host(
            self.world,
            self.port.write,
            spec,
            image,
            shape=shape,
            draw_session=self._session,
            watcher=self,
            make_push=self._make_push,
        )

    def _session(self) -> int:
        return self._sessions.randrange(1, 0x10000)

    def _begin(self, hosts: Sequence[Host]) -> None:
        self._hosts = list(hosts)
        for host in hosts:
            self.world.clock.at(self.world.now + host.spec.begins_s, host.begin)

    def _run_hosts(self, hosts: Sequence[Host]) -> bool:
        clock, ends_s = self.world.clock, self.world.now + BOUND_S
        self._open = len(hosts)
        while self._open > 0:
            if not clock.step() or clock.now > ends_s:
                for host in hosts:
                    host.stop()
                self.judge.wrong(judging.STUCK, f"a host has not ended after {BOUND_S:.0f} s")
                return False
        return True

    def _rest(self, rest_s: float) -> None:
        self._hosts = []
        self._waiting = []
        self.world.run_until(self.world.now + rest_s)
        while self.station.place is Place.OFF:  # power always comes back
            self.world.step()

    def _refusal_watch(self, each: Round) -> Callable[[], None]:
        """What must be refused changes nothing in flash: compares, unless others or a trial write to it as well."""
        alone = len(each.hosts) == 1 and each.hosts[0].order == "push" and self.images[each.hosts[0].image].spec.unfit
        started = self.looking.after_power_cycle()
        settled = started.jumped and not started.trial and started.number == self.looking.primary()
        if not alone or not settled or self.looking.has_weak_cells():
            return lambda: None
        before = self.looking.whole()

        def compare() -> None:
            if self.looking.whole() != before:
                self.judge.wrong(judging.REFUSAL, f"image {each.hosts[0].image} had to be refused, and flash changed")

        return compare

    # --- the last push --------------------------------------------------------------------------------------

    def _last(self) -> None:
        """All faults are off, the link is clean: a user who does what the errors say gets the last image to run."""
        self.note("the last push: clean link, no faults")
        self._era += 1
        self.station.change_link(LinkModel(Way(rate=self.scenario.down.rate), Way(rate=self.scenario.down.rate)))
        self.station.plan_no_cuts()
        if self.scenario.cycle_at_end:
            self.station.cut_power()
        self._at_last = True
        self.world.clock.at(self.world.now + PUSH_BUTTON_S, self._push_button)
        last = len(self.images) - 1
        order = HostSpec(image=last)
        for _ in range(LAST_TRIES):
            host = self._host(order)
            self._begin([host])
            if not self._run_hosts([host]):
                return
            reason = self._last_reason
            if reason == "done" and order.order == "push":
                self._at_last = False
                self._rest(0.5)
                self.judge.rested()
                return
            following = self._user_does(reason, order, last)
            if following is None:
                self._judge_unrecovered(reason)
                return
            order = following
        self.judge.wrong(judging.NOT_RECOVERED, "the last push does not get through, whatever the user does")

    def _user_does(self, reason: str, order: HostSpec, last: int) -> HostSpec | None:
        """What the remedy of the error says; None: there is none that would help."""
        if order.order != "push":
            return HostSpec(image=last)
        if reason == "trial-pending":
            return HostSpec("revert" if self.scenario.revert_at_end else "confirm")
        return None

    def _judge_unrecovered(self, reason: str) -> None:
        worn = self.scenario.worn_page >= 0 and reason in ("flash-failed", "verification-failed")
        if not worn or self.looking.after_power_cycle().number is None:
            self.judge.wrong(judging.NOT_RECOVERED, f"the last push over a clean link ends in {reason}")

    def _push_button(self) -> None:
        if not self._at_last:
            return
        if self.station.place is Place.DEAF:
            self.note("the user resets the board")
            self.station.reset()
        self.world.clock.at(self.world.now + PUSH_BUTTON_S, self._push_button)

    # --- faults ---------------------------------------------------------------------------------------------

    def entered(self, host: Host, phase: str) -> None:
        """The first host to enter a phase sets off the faults that wait for it."""
        if phase:
            self.note(f"{self._who(host)}: {phase}")
        due = [fault for fault in self._waiting if fault.phase == phase]
        self._waiting = [fault for fault in self._waiting if fault.phase != phase]
        for fault in due:
            self.world.clock.at(self.world.now + fault.after_s, partial(self._happen, fault, self._era))

    def _happen(self, fault: Fault, era: int) -> None:
        if era != self._era:
            return  # its round is over
        self.note(f"fault: {fault.kind} {fault.operation if fault.kind in ('operation', 'read') else ''}".rstrip())
        self.station.change_power(Power(off_s=fault.off_s, weak=self.scenario.weak))
        if fault.kind == "reset":
            self.station.reset()
        elif fault.kind == "cut":
            self.station.cut_power()
        elif fault.kind == "operation":
            self.station.plan_cuts(fault.operation, fault.how, fault.again)
        else:
            page, offset = divmod(fault.operation, self.profile.page_bytes)
            self.board.plan_read_error(page % self.profile.pages, offset, 1 << fault.how % 8)

    # --- what is told to the judge --------------------------------------------------------------------------

    def _image_of(self) -> RunningImage | None:
        number = self.looking.primary()
        return None if number is None else RunningImage(f"1.{number}.0", self.images[number].crc)

    def _jumped(self, trial: bool) -> None:
        self.judge.cuts = len(self.station.counters.cuts)
        number = self.judge.jumped(trial)
        self.note(f"board starts image {number}{' on trial' if trial else ''}")

    def _receive(self, data: bytes) -> None:
        for host in self._hosts:
            host.receive(data)

    def began(self, host: Host, session: int) -> None:
        self.note(f"{self._who(host)} begins")
        self._began[id(host)] = self.world.now
        self.lived.updates += host.operation is None
        if host.image is not None:
            self.judge.offered(host.image.number)

    def sent(self, host: Host, wire: bytes) -> None:
        kind = wire.lstrip(b"\0")[1:2]
        if kind and kind[0] in _TOLD:
            frame = cobs_decode(wire.strip(b"\0"))
            named = int.from_bytes(frame[4:8], "little")
            number = next((made.number for made in self.images if made.crc == named), -1)
            if kind[0] in (Kind.APPLY, Kind.OFFER):
                number = -1 if host.image is None else host.image.number
            self.judge.ordered(_TOLD[Kind(kind[0])], number, int.from_bytes(frame[1:3], "little"))

    def killed(self, host: Host) -> None:
        self.lived.host_kills += 1
        self.note(f"{self._who(host)} is killed")

    def ended(self, host: Host, end: Done | Failed) -> None:
        lived = self.lived
        self._open -= 1
        lived.longest_s = max(lived.longest_s, self.world.now - self._began[id(host)])
        number = -1 if host.image is None else host.image.number
        alone = all(other.over or not other.begun for other in self._hosts)
        if isinstance(end, Done):
            self._last_reason = "done"
            self.note(f"{self._who(host)}: done")
            lived.done += host.operation is None
            self.judge.said_done(end.result, host.operation, number, confirm=host.spec.confirm, alone=alone)
        else:
            self._last_reason = end.error.reason
            lived.refusals += end.error.exit_code == 5
            self.note(f"{self._who(host)}: {end.error.reason}: {end.error.text}")
            self.judge.said_failed(end.error, number, alone=alone)
        lived.ends[self._last_reason] = lived.ends.get(self._last_reason, 0) + 1

    def _who(self, host: Host) -> str:
        what = host.spec.order if host.image is None else f"push of image {host.image.number}"
        return f"host {self._hosts.index(host) if host in self._hosts else 0} ({what})"

    _last_reason = ""


def application_of(spec: ImageSpec) -> Application:
    """How an image behaves once it is started."""
    return Application(
        Behaviour(spec.app),
        confirm_after_s=spec.confirm_after_s,
        crash_after_s=spec.app_after_s,
        enter_after_s=spec.app_after_s,
        fade_after_s=spec.app_after_s,
    )
