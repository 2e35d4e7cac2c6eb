"""Bad input on the emulated chips, each with the loader that is shipped: what comes over the line, what stands in
flash, what wears out. Each board answers or waits in its loader, says why by name, and takes the next push."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from otaflash.bench.link import offerable
from otaflash.engine import Event, LinkShape, Operation, PhaseChanged, Push, Request
from otaflash.errors import OtaflashError
from otaflash.image.build import Image
from otaflash.sim.profiles import PROFILES
from otaflash.wire import frames
from otaflash.wire import messages as m
from otaflash.wire.cobs import FrameReader
from tests.emulated.board import Board, drive
from tests.emulated.chips import CHIPS, Chip
from tests.emulated.waveform import received

SECOND = 1_000_000
LOOK_US = 500
BOOT_US = 6 * SECOND
"""Recovery, a whole swap and the entry window."""
ANYBODY = bytes(8)
SESSION = 77
NOISES = 12
BITES = 6
WRONG_RATES = (300, 9600, 38_400, 57_600, 76_800, 230_400, 250_000, 1_000_000)


# The nRF52 shares port and flash controller with the nRF51, and has pages of four times the size to fill.
@pytest.fixture(params=["atmega328p", "nrf51822"])
def chip(request: pytest.FixtureRequest) -> Chip:
    return CHIPS[request.param]()


# --- a board, and what is asked of each at the end ----------------------------------------------------------------


def fresh(chip: Chip, seed: int = 1, *, change: Callable[[bytearray], None] = lambda flash: None) -> Board:
    """With loader and old image, as from a programmer; `change` is what else happened to its flash."""
    board = chip.make(seed)
    flash = bytearray(board.flash)
    flash[chip.slot.base : chip.slot.base + len(chip.old.span)] = chip.old.span
    change(flash)
    board.flash[:] = bytes(flash)
    return awake(board)


def awake(board: Board) -> Board:
    """With power, and listening."""
    board.on()
    board.run(20_000)
    return board


def empty(chip: Chip) -> Board:
    """With the loader alone, which waits for ever."""
    return awake(chip.make(1))


def shape(chip: Chip) -> LinkShape:
    return LinkShape(chip.baud / 10)


def ask(board: Board, chip: Chip, operation: Operation = Operation.INFO) -> m.Info:
    """Raises OtaflashError where it is refused or nobody answers."""
    result = drive(board, Request(shape(chip), 7, operation))
    assert result is not None
    return result.info


def power_again(board: Board) -> None:
    board.off()
    board.run(1000)
    board.on()


def runs(board: Board, limit_us: int = BOOT_US) -> bool:
    """Lets the chip run until it is in a program; False: it stays in its loader."""
    end = board.micros + limit_us
    while board.micros < end:
        board.run(LOOK_US)
        if board.runs_application:
            return True
    return False


def holds(board: Board, chip: Chip, image: Image) -> bool:
    return bytes(board.flash).startswith(image.span, chip.slot.base)


def without_the_other_slot(board: Board, chip: Chip) -> bytes:
    """All flash that staging has no business in."""
    flash, slot = bytes(board.flash), chip.slot
    second = slot.base + slot.pages * slot.page_bytes
    return flash[:second] + flash[second + (slot.pages + 1) * slot.page_bytes :]


def push(board: Board, chip: Chip, image: Image, *, until: Callable[[], bool] | None = None) -> None:
    """Until a program runs. Raises OtaflashError."""
    engine = Push(shape(chip), 0x1234, confirm=False)
    drive(board, engine, offerable(image), until=until or (lambda: board.runs_application))


def takes_the_next_push(board: Board, chip: Chip, image: Image | None = None) -> None:
    image = image or chip.new
    power_again(board)
    push(board, chip, image)
    assert board.runs_application
    assert holds(board, chip, image)


def say(board: Board, message: m.Message, serial: int) -> m.Message | None:
    """One frame and its answer, a thing which a block has not."""
    board.recv()
    board.send(frames.on_stream(frames.encode(message, SESSION, serial)))
    reader, end = FrameReader(), board.micros + 300_000
    while board.micros < end:
        board.run(LOOK_US)
        for frame in reader.feed(board.recv()):
            return frames.decode(frame).message
    return None


# --- the line -----------------------------------------------------------------------------------------------------


def test_a_host_at_another_rate_and_a_line_held_low_do_no_harm(chip: Chip) -> None:
    board = fresh(chip)
    before, operations = bytes(board.flash), board.operations
    words = frames.on_stream(frames.encode(m.Inspect(100, 0, ANYBODY), 0, 1)) * 4
    for baud in WRONG_RATES:
        board.send(received(words[: baud // 200], host_baud=baud, chip_baud=chip.baud))
        board.run(30_000)
        assert ask(board, chip).boot_state == m.BootState.IDLE, baud
    assert (bytes(board.flash), board.operations) == (before, operations)
    takes_the_next_push(board, chip)


def test_half_a_frame_of_any_length_does_not_hide_the_next_one(chip: Chip) -> None:
    board = empty(chip)
    words = frames.on_stream(frames.encode(m.Offer(0, chip.new.manifest.pack()[:60]), SESSION, 1))
    for length in range(1, len(words), 3):
        board.send(words[:length])
        board.run(20_000)
        assert ask(board, chip).boot_state == m.BootState.NO_IMAGE, length
    takes_the_next_push(board, chip)


def test_random_bytes_are_no_frames(chip: Chip) -> None:
    board = empty(chip)
    before = bytes(board.flash)
    for seed in range(6):
        board.send(random.Random(seed).randbytes(1500))
        board.run(200_000)
        assert ask(board, chip).boot_state == m.BootState.NO_IMAGE
    assert bytes(board.flash) == before
    takes_the_next_push(board, chip)


# --- frames that aim at what is not theirs ------------------------------------------------------------------------


def offer(board: Board, manifest: m.Manifest) -> str:
    """The reason that ends an offer, by name."""
    packed = manifest.pack()
    for serial, at in enumerate(range(0, len(packed), 50)):
        reply = say(board, m.Offer(at, packed[at : at + 50]), serial)
        assert isinstance(reply, m.OfferReply), reply
        if reply.reason != m.Reason.OK:
            return m.Reason(reply.reason).name
    return "OK"


def test_offers_that_reach_into_the_loader_are_refused_by_name_before_flash_is_touched(chip: Chip) -> None:
    board = fresh(chip)
    before, operations = bytes(board.flash), board.operations
    good = chip.new.manifest
    slot = chip.slot
    too_many = slot.pages + 1
    size = too_many * slot.page_bytes - 32
    for changed, reason in (
        (replace(good, pages=too_many, image_bytes=size), "TOO_LARGE"),
        (replace(good, pages=0xFFFF, image_bytes=0xFFFF * slot.page_bytes - 32), "TOO_LARGE"),
        (replace(good, slot_base=slot.base + 0x5400), "WRONG_GEOMETRY"),
        (replace(good, page_bytes=2 * slot.page_bytes), "WRONG_GEOMETRY"),
        (replace(good, pages=2), "BAD_MANIFEST"),
        (replace(good, image_bytes=0xFFFFFFFF), "BAD_MANIFEST"),
    ):
        assert offer(board, changed) == reason
    assert (bytes(board.flash), board.operations) == (before, operations)
    takes_the_next_push(board, chip)


def test_blocks_and_surveys_behind_the_image_touch_nothing(chip: Chip) -> None:
    board = fresh(chip)
    assert offer(board, chip.new.manifest) == "OK"
    before = without_the_other_slot(board, chip)
    block_bytes = ask(board, chip).block_bytes
    places = len(chip.new.span) // block_bytes
    slot_places = chip.slot.pages * chip.slot.page_bytes // block_bytes
    operations = board.operations
    for serial, place in enumerate((places, places + 1, slot_places, 2 * slot_places, 0x7FFF, 0xFFFE, 0xFFFF)):
        assert say(board, m.Block(place, bytes(block_bytes)), serial) is None
    for serial, page in enumerate((chip.new.pages, chip.slot.pages, 2 * chip.slot.pages, 0xFFFF)):
        reply = say(board, m.Survey(page, bytes(32)), serial)
        assert isinstance(reply, m.SurveyReply | m.Refused), reply
        assert not (isinstance(reply, m.SurveyReply) and any(reply.agree)), "nothing there agrees"
    assert board.operations == operations
    say(board, m.Block(places - 1, bytes(2 * block_bytes)), 9)  # one of the two is inside
    assert without_the_other_slot(board, chip) == before
    takes_the_next_push(board, chip)


# --- images that do not stay in themselves ------------------------------------------------------------------------


@pytest.mark.parametrize("way", [0, 2, 4])
def test_a_program_that_leaves_its_image_is_given_up_and_the_old_one_runs(chip: Chip, way: int) -> None:
    """Nothing of the loader or the record is written by what such a program runs into."""
    name, code = list(chip.bad_programs.items())[way]
    image = chip.image(3, 3, code)
    board = fresh(chip)
    swapped = False

    def watch(event: Event) -> None:
        nonlocal swapped
        swapped |= isinstance(event, PhaseChanged) and event.name == "start"

    engine = Push(shape(chip), 0x1234, confirm=False)
    drive(board, engine, offerable(image), on_event=watch, until=lambda: swapped and holds(board, chip, image))
    before = loader_of(board, chip)
    end = board.micros + 40 * SECOND
    while not holds(board, chip, chip.old):
        board.run(20_000)
        assert board.micros < end, f"{name}: it is never given up"
    assert runs(board)
    assert loader_of(board, chip) == before
    takes_the_next_push(board, chip)


def loader_of(board: Board, chip: Chip) -> bytes:
    flash = bytes(board.flash)
    return flash[: chip.slot.base] + flash[record(chip, 2) :]


# --- flash that is worn -------------------------------------------------------------------------------------------


def differing(chip: Chip, image: Image, page: int, bit: int) -> int:
    """The offset in the span of a byte of the page whose lowest bit is another."""
    first = page * chip.slot.page_bytes
    return next(at for at in range(first, first + chip.slot.page_bytes) if image.span[at] & 1 != bit)


@pytest.mark.parametrize("bit", [0, 1], ids=["does not erase", "does not program"])
def test_a_worn_page_of_the_other_slot_ends_a_push_by_name_and_the_old_image_goes_on(chip: Chip, bit: int) -> None:
    slot, board = chip.slot, fresh(chip)
    second = slot.base + slot.pages * slot.page_bytes
    board.stick(second + slot.page_bytes + differing(chip, chip.new, 2, bit), bit)
    with pytest.raises(OtaflashError) as caught:
        push(board, chip, chip.new)
    assert caught.value.reason == "flash-failed"
    assert holds(board, chip, chip.old)
    power_again(board)
    assert runs(board)
    assert holds(board, chip, chip.old)
    takes_the_next_push(board, chip, chip.image(3, 2))


@pytest.mark.parametrize("bit", [0, 1], ids=["does not erase", "does not program"])
def test_a_worn_page_of_the_running_slot_starts_no_mixed_image_and_is_told_by_name(chip: Chip, bit: int) -> None:
    """Neither the new image nor the old one gets through it: the loader waits, and answers."""
    slot, board = chip.slot, fresh(chip)
    board.stick(slot.base + differing(chip, chip.new, 1, bit), bit)
    with pytest.raises(OtaflashError) as caught:
        push(board, chip, chip.new)
    assert caught.value.reason == "flash-failed"
    power_again(board)
    assert ask(board, chip).boot_state == m.BootState.SWAPPING
    assert not runs(board, 2 * SECOND)
    with pytest.raises(OtaflashError, match="swap did not get through"):
        push(board, chip, chip.new)


@pytest.mark.parametrize("bit", [0, 1], ids=["does not erase", "does not program"])
def test_a_worn_record_takes_no_decision_and_the_old_image_goes_on(chip: Chip, bit: int) -> None:
    """The first record of a board is written to unit 0; byte 3 is ones in each, byte 4 zeros in this one."""
    board = fresh(chip)
    board.stick(record(chip, 0) + 3 + bit, bit)
    with pytest.raises(OtaflashError) as caught:
        push(board, chip, chip.new)
    assert caught.value.reason == "flash-failed"
    power_again(board)
    assert runs(board, 2 * SECOND)
    assert holds(board, chip, chip.old)


def test_a_worn_second_unit_lets_the_loader_wait_when_the_trial_is_over(chip: Chip) -> None:
    """The trial is recorded in unit 0, and neither a confirm nor a revert can be: each is refused by name."""
    board = fresh(chip)
    board.stick(record(chip, 1) + 4, 1)
    push(board, chip, chip.new)
    for operation in (Operation.CONFIRM, Operation.REVERT):
        power_again(board)
        with pytest.raises(OtaflashError) as caught:
            ask(board, chip, operation)
        assert caught.value.reason == "flash-failed"
    for _ in range(3):
        power_again(board)
        runs(board, 2 * SECOND)
    assert not board.runs_application, "no boots are left"
    assert ask(board, chip).boot_state == m.BootState.SWAPPING
    assert holds(board, chip, chip.new)


def record(chip: Chip, unit: int) -> int:
    """Where that unit begins; unit 2: what lies behind both."""
    slot = chip.slot
    return slot.base + (2 * slot.pages + 1 + PROFILES[chip.name].record_pages * unit) * slot.page_bytes


# --- records that say nothing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("byte", [0x00, 0xFF])
def test_a_record_of_one_value_leaves_the_image_that_is_there(chip: Chip, byte: int) -> None:
    board = with_records(chip, bytes((byte,)) * (record(chip, 2) - record(chip, 0)))
    assert ask(board, chip).boot_state == m.BootState.IDLE
    assert runs(board)
    assert holds(board, chip, chip.old)
    takes_the_next_push(board, chip)


def test_records_of_noise_leave_the_image_that_is_there(chip: Chip) -> None:
    for seed in range(NOISES):
        draws = random.Random(f"record/{seed}")
        noise = draws.randbytes(record(chip, 2) - record(chip, 0))
        if seed % 2:  # mostly zeros: seals and marks are set
            noise = bytes(one & draws.getrandbits(8) & draws.getrandbits(8) for one in noise)
        board = with_records(chip, noise)
        info = ask(board, chip)
        assert (info.boot_state, info.image_crc) == (m.BootState.IDLE, chip.old.image_crc), seed
        if seed < 2:
            takes_the_next_push(board, chip)
        board.off()


def with_records(chip: Chip, content: bytes) -> Board:
    def change(flash: bytearray) -> None:
        flash[record(chip, 0) : record(chip, 0) + len(content)] = content

    return fresh(chip, change=change)


# --- a watchdog at the wrong moment -------------------------------------------------------------------------------


def test_a_watchdog_that_fires_anywhere_in_an_update_does_not_stop_it(chip: Chip) -> None:
    """The host goes on: what it meets after the reset is resumed, swapped or on trial."""
    board = fresh(chip)
    before = board.operations
    push(board, chip, chip.new)
    operations = board.operations - before
    for number in range(BITES):
        board = fresh(chip, number)
        board.bite(1 + number * operations // BITES)
        push(board, chip, chip.new)
        assert board.runs_application
        assert holds(board, chip, chip.new), number
        board.off()
