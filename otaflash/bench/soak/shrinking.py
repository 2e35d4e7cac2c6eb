"""Makes a failing scenario as small as it goes: one thing dropped or made plainer at a time, kept if it still fails.
Greedy and without chance, so the same failure shrinks to the same text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from otaflash.bench.soak.scenario import PLAIN_WAY, HostSpec, ImageSpec, Round, Scenario
from otaflash.sim.radio import Way

T = TypeVar("T")

RUNS_MAX = 400
"""A failure that takes long to run must not shrink for ever."""


def shrink(scenario: Scenario, fails: Callable[[Scenario], bool], runs_max: int = RUNS_MAX) -> Scenario:
    """The smallest scenario found for which `fails` still holds, after at most `runs_max` calls of it."""
    left = runs_max
    smaller = True
    while smaller:
        smaller = False
        for candidate in candidates(scenario):
            if left == 0:
                return scenario
            left -= 1
            if fails(candidate):
                scenario, smaller = candidate, True
                break
    return scenario


def candidates(scenario: Scenario) -> Iterator[Scenario]:
    """Scenarios that are a little simpler, what takes most away first."""
    yield from _fewer_rounds(scenario)
    for number, each in enumerate(scenario.rounds):
        for simpler in _simpler_rounds(each):
            yield replace(scenario, rounds=_with(scenario.rounds, number, simpler))
    yield from _simpler_link(scenario)
    for number, image in enumerate(scenario.images):
        for plainer in _simpler_images(image):
            yield replace(scenario, images=_with(scenario.images, number, plainer))
    yield from _simpler_board(scenario)


def _with(things: tuple[T, ...], number: int, thing: T) -> tuple[T, ...]:
    return (*things[:number], thing, *things[number + 1 :])


def _without(things: tuple[T, ...], number: int) -> tuple[T, ...]:
    return (*things[:number], *things[number + 1 :])


def _fewer_rounds(scenario: Scenario) -> Iterator[Scenario]:
    rounds = scenario.rounds
    for number in reversed(range(len(rounds))):
        yield _without_idle_images(replace(scenario, rounds=_without(rounds, number)))


def _without_idle_images(scenario: Scenario) -> Scenario:
    """Images that nobody pushes any more are left out; the factory's and the last stay."""
    last = len(scenario.images) - 1
    used = {0, last} | {host.image for each in scenario.rounds for host in each.hosts if host.image >= 0}
    used |= {scenario.images[number].like for number in used if scenario.images[number].like >= 0}
    numbers = {old: new for new, old in enumerate(sorted(used))}
    images = tuple(
        replace(scenario.images[old], like=numbers.get(scenario.images[old].like, -1)) for old in sorted(used)
    )
    rounds = tuple(
        replace(each, hosts=tuple(replace(host, image=numbers.get(host.image, -1)) for host in each.hosts))
        for each in scenario.rounds
    )
    return replace(scenario, images=images, rounds=rounds)


def _simpler_rounds(each: Round) -> Iterator[Round]:
    for number in reversed(range(len(each.faults))):
        yield replace(each, faults=_without(each.faults, number))
    for number, fault in enumerate(each.faults):
        if fault.again:
            yield replace(each, faults=_with(each.faults, number, replace(fault, again=fault.again[:-1])))
    if len(each.hosts) > 1:
        for number in range(len(each.hosts)):
            yield replace(each, hosts=_without(each.hosts, number))
    for number, host in enumerate(each.hosts):
        for plainer in _simpler_hosts(host):
            yield replace(each, hosts=_with(each.hosts, number, plainer))
    if each.rest_s:
        yield replace(each, rest_s=0)


def _simpler_hosts(host: HostSpec) -> Iterator[HostSpec]:
    for number in reversed(range(len(host.kills))):
        yield replace(host, kills=_without(host.kills, number))
    for name, plain in (("resume", None), ("knows_rate", True), ("begins_s", 0.0)):
        if getattr(host, name) != plain:
            yield replace(host, **{name: plain})  # type: ignore[arg-type]


def _simpler_link(scenario: Scenario) -> Iterator[Scenario]:
    plain = Way(rate=scenario.down.rate)
    if (scenario.down, scenario.up) != (plain, plain):
        yield replace(scenario, down=plain, up=plain)
    for name in ("down", "up"):
        way: Way = getattr(scenario, name)
        for part in Way.__dataclass_fields__:
            default = getattr(PLAIN_WAY, part)
            if part != "rate" and getattr(way, part) != default:
                yield replace(scenario, **{name: replace(way, **{part: default})})  # type: ignore[arg-type]
    if scenario.down.rate != PLAIN_WAY.rate:
        rate = PLAIN_WAY.rate
        yield replace(scenario, down=replace(scenario.down, rate=rate), up=replace(scenario.up, rate=rate))


def _simpler_images(image: ImageSpec) -> Iterator[ImageSpec]:
    if image.count > 1 and image.unfit != "large":
        yield replace(image, count=1)
        yield replace(image, count=image.count // 2)
    for name, plain in (("like", -1), ("app", "good"), ("confirm_after_s", None), ("single_slot", False)):
        if getattr(image, name) != plain and not (name == "single_slot" and image.unfit):
            yield replace(image, **{name: plain})  # type: ignore[arg-type]


def _simpler_board(scenario: Scenario) -> Iterator[Scenario]:
    if scenario.worn_page >= 0:
        yield replace(scenario, worn_page=-1)
    if scenario.weak:
        yield replace(scenario, weak=0)
    if scenario.cycle_at_end:
        yield replace(scenario, cycle_at_end=False)
    plain = replace(scenario.board, base="tiny2", changes=())
    if scenario.board != plain:
        yield replace(scenario, board=plain)
