"""A scenario from a seed: what board, images, link, orders and faults. Weighted to what is cheap and to what has bitten
before. Runs nothing."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

from otaflash.bench.soak.boards import draw_board
from otaflash.bench.soak.images import program_limit
from otaflash.bench.soak.links import draw_link
from otaflash.bench.soak.scenario import BoardSpec, Fault, HostSpec, ImageSpec, Kill, Round, Scenario
from otaflash.sim.profiles import Profile

T = TypeVar("T")

COUNTER = 5
"""Of the factory image, so that lower ones exist."""
SMALL_BYTES = 900
MOST_BYTES = 6144
FULL_SLOT_BYTES = 4200
"""A slot up to this size is sometimes filled to its last byte."""

ENTRY_BYTES = 300
"""On the line from the first byte of an Inspect that is heard to the last of the part of an offer that keeps it."""
ASKED_EVERY_MS = 300
"""Less than the engine's 400: a window of 400 ms is drawn on fast lines, and just about does."""

APPS = {"good": 60, "hang": 6, "crash": 7, "silent": 4, "enter": 5, "restart": 6, "fade": 6}
PHASES = {"": 4, "inspect": 1, "enter": 2, "transfer": 6, "verify": 3, "apply": 3, "start": 8, "confirm": 4}


def draw(seed: int) -> Scenario:
    """The scenario of that seed: always the same one."""
    chance = random.Random(f"soak/{seed}")
    board = draw_board(chance)
    down, up = draw_link(chance)
    board = _with_window_for(board, down.rate)
    profile = board.profile()
    images = [_factory(chance, profile)]
    rounds = [_round(chance, profile, images) for _ in range(_weighted(chance, {1: 55, 2: 32, 3: 13}))]
    images.append(_last_image(chance, profile, images))
    worn_page, worn_how = _worn(chance, profile, images)
    return Scenario(
        seed=seed,
        board=board,
        images=tuple(images),
        rounds=tuple(rounds),
        down=down,
        up=up,
        weak=chance.choice((0, 1, 2, 2, 3, 4)),
        worn_page=worn_page,
        worn_how=worn_how,
        cycle_at_end=chance.random() < 0.5,
        revert_at_end=chance.random() < 0.5,
    )


def _with_window_for(board: BoardSpec, rate: float) -> BoardSpec:
    """A port chooses its entry window for its line: the time between two Inspects, and that of Inspect, its answer and
    the first part of an offer. A program that restarts for ever is not to be caught in less."""
    least_ms = ASKED_EVERY_MS + ENTRY_BYTES * 10_000 / rate
    changes = dict(board.changes)
    if changes["entry_window_ms"] < least_ms:
        changes["entry_window_ms"] = 1000
    return BoardSpec(board.base, tuple(changes.items()))


def _weighted(chance: random.Random, weights: dict[T, int]) -> T:
    return chance.choices(list(weights), list(weights.values()))[0]


# --- images ---------------------------------------------------------------------------------------------------------


def _count(chance: random.Random, limit: int) -> int:
    """Bytes of a program: mostly few, sometimes one, sometimes as many as fit."""
    kind = chance.random()
    if kind < 0.08:
        return chance.randint(1, min(16, limit))
    if kind < 0.16 and limit <= FULL_SLOT_BYTES:
        return limit
    most = SMALL_BYTES if kind < 0.91 else MOST_BYTES
    return chance.randint(1, min(most, limit))


def _factory(chance: random.Random, profile: Profile) -> ImageSpec:
    app = _weighted(chance, {"good": 88, "enter": 4, "restart": 4, "silent": 4})
    after_s = round(chance.uniform(0.2, 4.0), 2)
    return ImageSpec(
        _count(chance, program_limit(profile)), chance.getrandbits(32), counter=COUNTER, app=app, app_after_s=after_s
    )


def _image(chance: random.Random, profile: Profile, images: Sequence[ImageSpec]) -> ImageSpec:
    single = bool(profile.single_slot) and chance.random() < 0.12
    limit = program_limit(profile, single_slot=single)
    like = chance.randrange(len(images)) if chance.random() < 0.3 else -1
    app = _weighted(chance, APPS)
    highest = max(image.counter for image in images)
    return ImageSpec(
        count=images[like].count if like >= 0 and images[like].count <= limit else _count(chance, limit),
        seed=chance.getrandbits(32),
        like=like,
        counter=highest + _weighted(chance, {0: 80, 1: 12, -1: 8})
        if highest > COUNTER
        else highest + chance.choice((0, 0, 1)),
        single_slot=single,
        app=app,
        confirm_after_s=round(chance.uniform(0, 6), 2) if chance.random() < 0.15 else None,
        app_after_s=round(chance.choice((0.1, 0.5, 1.0, 3.0)) * chance.uniform(0.5, 2), 3),
    )


def _unfit(chance: random.Random, profile: Profile) -> ImageSpec:
    """An image that the board must refuse, whatever else happens."""
    kinds = ["board", "large", "counter", "geometry"]
    kinds += [] if profile.single_slot else ["single"]
    why = chance.choice(kinds)
    limit = program_limit(profile)
    count = (
        limit + chance.randint(1, profile.page_bytes) if why == "large" else chance.randint(1, min(limit, SMALL_BYTES))
    )
    if why == "geometry" and profile.page_bytes < 128:
        why = "board"
    counter = COUNTER - 1 if why == "counter" else COUNTER + 9
    return ImageSpec(count, chance.getrandbits(32), counter=counter, unfit=why, single_slot=why == "single")


def _last_image(chance: random.Random, profile: Profile, images: Sequence[ImageSpec]) -> ImageSpec:
    """A good one, which nothing forbids: single-slot if an image before may cover both slots."""
    single = any(image.single_slot and not image.unfit for image in images)
    highest = max(image.counter for image in images if not image.unfit)
    count = chance.randint(1, min(SMALL_BYTES, program_limit(profile)))
    return ImageSpec(count, chance.getrandbits(32), counter=highest, single_slot=single)


def _worn(chance: random.Random, profile: Profile, images: Sequence[ImageSpec]) -> tuple[int, int]:
    """A page of the secondary slot that every image is staged in: one that only a swap writes would stop it half-way,
    with the flash dead under both images, and no loader can mend that."""
    if chance.random() > 0.03 or any(image.single_slot for image in images):
        return -1, 1
    least = min(image.count for image in images)
    pages = -(-(least + 32) // profile.page_bytes)
    same = all(-(-(image.count + 32) // profile.page_bytes) == pages for image in images)
    return (chance.randint(1, pages), chance.choice((1, 2))) if same else (-1, 1)


# --- orders and faults ------------------------------------------------------------------------------------------------


def _round(chance: random.Random, profile: Profile, images: list[ImageSpec]) -> Round:
    kind = chance.random()
    if kind < 0.12:
        images.append(_unfit(chance, profile))
        hosts = [_push(chance, len(images) - 1)]
    elif kind < 0.22 and len(images) > 1:
        hosts = [HostSpec(chance.choice(("confirm", "revert", "info", "reboot")), kills=_kills(chance))]
    elif kind < 0.30:
        hosts = [_push(chance, chance.choice([n for n, image in enumerate(images) if not image.unfit]))]
    else:
        images.append(_image(chance, profile, images))
        hosts = [_push(chance, len(images) - 1)]
    if chance.random() < 0.07:
        hosts.append(_second(chance, profile, images))
    return Round(
        tuple(hosts), _faults(chance, profile), rest_s=round(chance.choice((0, 0.2, 2, 8, 30)) * chance.random(), 2)
    )


def _push(chance: random.Random, number: int) -> HostSpec:
    return HostSpec(
        image=number,
        confirm=chance.random() < 0.8,
        resume=_weighted(chance, {None: 90, True: 5, False: 5}),
        knows_rate=chance.random() < 0.9,
        kills=_kills(chance),
    )


def _second(chance: random.Random, profile: Profile, images: list[ImageSpec]) -> HostSpec:
    begins_s = round(chance.uniform(0, 3), 2)
    if chance.random() < 0.4:
        return HostSpec(chance.choice(("confirm", "revert", "info", "reboot")), begins_s=begins_s)
    if chance.random() < 0.5:
        images.append(_image(chance, profile, images))
    number = chance.choice([n for n, image in enumerate(images) if not image.unfit])
    return HostSpec(image=number, confirm=chance.random() < 0.8, begins_s=begins_s, kills=_kills(chance))


def _kills(chance: random.Random) -> tuple[Kill, ...]:
    if chance.random() > 0.25:
        return ()
    return tuple(
        Kill(_weighted(chance, PHASES), _soon(chance), round(chance.choice((0.1, 1, 20)) * chance.random(), 2))
        for _ in range(_weighted(chance, {1: 60, 2: 25, 4: 15}))
    )


def _faults(chance: random.Random, profile: Profile) -> tuple[Fault, ...]:
    if chance.random() < 0.35:
        return ()
    return tuple(_fault(chance, profile) for _ in range(_weighted(chance, {1: 60, 2: 25, 3: 15})))


def _fault(chance: random.Random, profile: Profile) -> Fault:
    kind = _weighted(chance, {"operation": 50, "reset": 18, "cut": 22, "read": 10})
    off_s = round(chance.choice((0.05, 0.5, 3)) * chance.random() + 0.01, 3)
    phase = _weighted(chance, PHASES)
    if kind == "operation":
        again = tuple(
            (chance.randrange(12), chance.randint(1, 3)) for _ in range(_weighted(chance, {0: 60, 1: 25, 2: 15}))
        )
        most = chance.choice((3, 12, 60))
        return Fault(kind, phase, _soon(chance), chance.randrange(most), chance.choice((1, 2, 2, 2, 3)), off_s, again)
    if kind == "read":
        return Fault(kind, phase, _soon(chance), _misread(chance, profile), chance.randrange(8), off_s)
    return Fault(kind, phase, _soon(chance), off_s=off_s)


def _misread(chance: random.Random, profile: Profile) -> int:
    """Which byte: half of the time one of a boot record that says something."""
    if chance.random() < 0.5:
        return chance.randrange(profile.pages * profile.page_bytes)
    unit = 2 * profile.slot_pages + 1 + chance.randrange(2) * profile.record_pages
    return unit * profile.page_bytes + chance.randrange(min(profile.record_bytes, 80))


def _soon(chance: random.Random) -> float:
    return round(chance.choice((0.0, 0.02, 0.2, 1.0, 4.0)) * chance.random(), 4)
