"""The world around real boards: the compiled core behind the link model, through the same ports as the engines use."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from otaflash.errors import LinkError, OtaflashError, TargetError, UsageError
from otaflash.sim.app import Application, Applications, Behaviour
from otaflash.sim.boards import add_board, running_image
from otaflash.sim.drive import drive
from otaflash.sim.factory import FACTORY_VERSION
from otaflash.sim.profiles import PROFILES
from otaflash.sim.radio import LinkModel, Way
from otaflash.sim.station import Place
from otaflash.sim.url import parse_sim_url
from otaflash.sim.world import World
from otaflash.transport.simlink import SimLink, open_sim
from otaflash.wire import FrameReader, decode, encode, on_stream
from otaflash.wire.messages import Enter, EnterReply, Info, Inspect, InspectReply, Message

ANYONE = bytes(8)


class Talk:
    """One question at a time over a link, repeated until it is answered."""

    def __init__(self, link: SimLink) -> None:
        self.link = link
        self._reader = FrameReader()
        self._serial = 0

    def ask(self, message: Message, tries: int = 20) -> Message | None:
        for _ in range(tries):
            self._serial = (self._serial + 1) % 256
            self.link.write(on_stream(encode(message, 9, self._serial)))
            deadline = self.link.now() + 0.3
            while data := self.link.read(deadline):
                for frame in self._reader.feed(data):
                    if (answer := decode(frame)).serial == self._serial:
                        return answer.message
        return None

    def info(self) -> Info:
        answer = self.ask(Inspect(frame_bytes=200, offset=0, target=ANYONE))
        assert isinstance(answer, InspectReply)
        assert answer.total == len(answer.part)
        return Info.unpack(answer.part)


@pytest.mark.parametrize("name", list(PROFILES))
def test_every_board_starts_its_factory_image_and_says_so(name: str) -> None:
    link = open_sim(f"sim:{name}?delay=30ms")
    talk = Talk(link)
    assert talk.info().mode == 0
    link.world.run_until(2.0)
    info = talk.info()
    assert (info.mode, info.boot_state) == (1, 1)
    assert link.board is not None
    image = running_image(link.board)
    assert image is not None
    assert (image.version, image.crc) == (FACTORY_VERSION, info.image_crc)


def test_enter_brings_the_loader_back() -> None:
    link = open_sim("sim:atmega328p")
    link.world.run_until(2.0)
    talk = Talk(link)
    assert isinstance(talk.ask(Enter(target=talk.info().uid)), EnterReply)
    link.world.run_until(link.now() + 3.0)  # longer than the entry window: it stays
    assert talk.info().mode == 0
    assert link.station.counters.restarts == 1


def test_an_application_enters_the_loader_by_itself() -> None:
    link = open_sim("sim:atmega328p?app=enter")
    link.world.run_until(7.0)
    assert link.station.place is Place.LOADER


def test_a_lossy_link_still_answers() -> None:
    link = open_sim("sim:atmega328p?rate=57600&delay=30ms&loss=30%&seed=7")
    assert Talk(link).info().page_bytes == 128


def test_reading_ends_at_the_deadline_of_virtual_time() -> None:
    link = open_sim("sim:atmega328p?app=silent")
    started = time.monotonic()
    assert link.read(5000.0) == b""
    assert link.now() == 5000.0
    assert time.monotonic() - started < 2.0


def test_a_closed_link_says_so() -> None:
    link = open_sim("sim:atmega328p")
    link.close()
    link.close()
    with pytest.raises(LinkError):
        link.write(b"x")


def test_a_board_nobody_knows_is_a_target_error() -> None:
    with pytest.raises(TargetError):
        open_sim("sim:z80")


def test_the_state_file_carries_flash_and_identity(tmp_path: Path) -> None:
    state = tmp_path / "board.state"
    first = open_sim(f"sim:atmega328p?state={state}&seed=1")
    assert first.board is not None
    first.board.flash[20000] = 0x5A
    uid = Talk(first).info().uid
    first.close()
    second = open_sim(f"sim:atmega328p?state={state}&seed=2")
    assert second.board is not None
    assert second.board.flash[20000] == 0x5A
    assert Talk(second).info().uid == uid
    assert list(tmp_path.iterdir()) == [state]


def test_the_state_is_saved_while_it_runs_so_that_a_killed_process_loses_little(tmp_path: Path) -> None:
    state = tmp_path / "board.state"
    link = open_sim(f"sim:atmega328p?state={state}")
    link.read(1.5)
    assert state.exists()


@pytest.mark.parametrize(
    "content", [b"", b"{}\n", b"junk", b'{"v": 1, "board": "nrf51822", "uid": "0011223344556677"}\n' + bytes(10)]
)
def test_a_file_that_is_no_state_is_refused(tmp_path: Path, content: bytes) -> None:
    state = tmp_path / "board.state"
    state.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        open_sim(f"sim:atmega328p?state={state}")
    assert caught.value.reason == "state-unreadable"


def test_a_state_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    link = open_sim(f"sim:atmega328p?state={tmp_path / 'no' / 'such'}")
    with pytest.raises(UsageError) as caught:
        link.close()
    assert caught.value.reason == "state-unwritable"


def test_a_program_of_the_users_goes_into_the_slot(tmp_path: Path) -> None:
    program = tmp_path / "program.bin"
    program.write_bytes(b"\x12\x34" * 500)
    link = open_sim(f"sim:atmega328p?image={program}")
    assert Talk(link).info().image_bytes == 1000


def test_a_program_that_does_not_fit_or_is_missing_is_refused(tmp_path: Path) -> None:
    program = tmp_path / "program.bin"
    for content, reason in ((None, "file-unreadable"), (bytes(14000), "sim-image-too-large")):
        if content is not None:
            program.write_bytes(content)
        with pytest.raises(UsageError) as caught:
            open_sim(f"sim:atmega328p?image={program}")
        assert caught.value.reason == reason


def test_power_back_after_a_cut_starts_the_loader_again() -> None:
    link = open_sim("sim:atmega328p?cutat=3s&off=1s")
    link.world.run_until(3.5)
    assert Talk(link).ask(Inspect(200, 0, ANYONE), tries=1) is None
    assert Talk(link).info().mode == 0
    assert link.station.counters.cuts == [3.0]


# --- many boards --------------------------------------------------------------------------------------------------


@dataclass
class Asker:
    """The smallest engine: asks Inspect until it is answered `wanted` times."""

    wanted: int = 5
    got: list[str] = field(default_factory=list)
    _due: float = 0.0
    _serial: int = 0
    _ask: bool = True
    _reader: FrameReader = field(default_factory=FrameReader)

    def receive(self, data: bytes, now: float) -> None:
        for _ in self._reader.feed(data):
            self.got.append("info")
            self._ask = True

    def bytes_to_send(self, now: float) -> list[bytes]:
        if not self._ask:
            return []
        self._ask = False
        self._due = now + 0.5
        self._serial = (self._serial + 1) % 256
        return [on_stream(encode(Inspect(200, 0, ANYONE), 1, self._serial))]

    def next_deadline(self) -> float | None:
        return self._due

    def wake(self, now: float) -> None:
        if now >= self._due:
            self._ask = True

    def events(self) -> list[Any]:
        if len(self.got) < self.wanted:
            return []
        self.wanted = 1 << 30
        return ["done"]


def drive_boards(
    count: int, seed: int = 3, *, wanted: int = 5, limit_s: float = 60.0
) -> tuple[str, list[float | None]]:
    digest = hashlib.sha256()
    world = World(seed, trace=lambda at, name, data: digest.update(f"{at!r} {name} {data.hex()}\n".encode()))
    way = Way(delay_s=0.03, loss=0.1, jitter_s=0.01, dup=0.05, biterr=1e-4)
    ports = [add_board(world, PROFILES["atmega328p"], LinkModel(way, way))[0] for _ in range(count)]
    driven = drive(world, [(Asker(wanted), port) for port in ports], lambda *_: True, limit_s=limit_s)
    return digest.hexdigest(), [one.done_s for one in driven]


def test_many_engines_run_at_once_each_on_its_own_board() -> None:
    _, done = drive_boards(20)
    assert all(at is not None and at < 20 for at in done)


def test_an_engine_that_is_never_done_ends_at_the_limit() -> None:
    _, done = drive_boards(2, wanted=10**9, limit_s=5.0)
    assert done == [None, None]


def test_an_engine_that_waits_for_a_deadline_behind_it_is_found_out() -> None:
    class Still(Asker):
        def next_deadline(self) -> float | None:
            return 0.0

    world = World(1)
    port, _ = add_board(world, PROFILES["atmega328p"], LinkModel())
    with pytest.raises(OtaflashError) as caught:
        drive(world, [(Still(), port)], lambda *_: False)
    assert caught.value.reason == "engine-stuck"


def test_the_same_seed_gives_the_same_bytes_and_times_through_the_real_core() -> None:
    assert drive_boards(5) == drive_boards(5)
    assert drive_boards(5)[0] != drive_boards(5, seed=4)[0]


def test_a_hundred_boards_cost_ten_times_what_ten_cost() -> None:
    def cpu(count: int) -> float:
        started = time.process_time()
        drive_boards(count, wanted=20)
        return time.process_time() - started

    ten = min(cpu(10) for _ in range(3))
    assert min(cpu(100) for _ in range(2)) < 10 * ten * 2.5  # quadratic cost would be 100 times


def test_a_watchdog_resets_nothing_outside_a_trial() -> None:
    world = World(1)
    port, _ = add_board(
        world, PROFILES["atmega328p"], LinkModel(), applications=Applications(Application(Behaviour.HANG))
    )
    world.run_until(100.0)
    assert port.station.counters.resets == 0
    assert port.station.place is Place.DEAF


def test_errors_of_the_core_pass_through_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(1)
    _, board = add_board(world, PROFILES["atmega328p"], parse_sim_url("sim:atmega328p").model)

    def broken(until_s: float) -> int:
        raise OtaflashError("flash-rule-broken", "x", remedy="y", fault=None, exit_code=None)  # type: ignore[arg-type]

    monkeypatch.setattr(board, "run", broken)
    with pytest.raises(OtaflashError):
        world.run_until(10.0)
