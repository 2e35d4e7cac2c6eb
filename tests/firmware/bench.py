"""A board and a host that speaks to it frame by frame, for tests of the core: messages, flash and time from outside.
Knows no function of the core."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import TypeVar, cast

from otaflash.sim.native import BoardEvent, NativeBoard
from otaflash.sim.profiles import Profile, profile
from otaflash.wire import frames
from otaflash.wire import messages as m
from otaflash.wire.cobs import FrameReader

Reply = TypeVar("Reply", bound=m.Message)

UID = b"ABCDEFGH"
OTHER_UID = b"ABCDEFGX"
ANY = bytes(8)
SESSION = 7
HEEDS_S = 3.1
LEFT = (BoardEvent.JUMPED, BoardEvent.RESTARTED, BoardEvent.CUT)

SMALL = replace(
    profile("tiny2"),
    name="bench",
    flash_bytes=4096,
    slot_pages=6,
    record_pages=2,
    mark_bytes=1,
    block_bytes=8,
    chunk_bytes=128,
    trials=3,
)
"""A page is programmed at once, as on an AVR."""

CHUNKS = replace(SMALL, chunk_bytes=32)
"""A page is programmed in four passes."""

AHEAD = replace(SMALL, meanwhile=1)
"""... and digested meanwhile."""

HALVES = replace(AHEAD, chunk_bytes=64)
"""The same in two halves."""

STAGINGS = {"page at once": SMALL, "four chunks": CHUNKS, "digested meanwhile": AHEAD, "in two halves": HALVES}
"""Every way in which a page gets into flash."""

STALLS = replace(CHUNKS, write_bytes=4, mark_bytes=4, rx_in_erase=0, erase_stalls=1, erase_ahead=2, rx_ring_bytes=512)
"""The receiver is deaf in an erase, as on an nRF51: credit keeps the host silent."""


@dataclass(frozen=True)
class Image:
    """A span and its manifest, for one profile."""

    profile: Profile
    span: bytes
    manifest: m.Manifest

    @property
    def pages(self) -> int:
        return self.manifest.pages

    @property
    def crc(self) -> int:
        return self.manifest.image_crc

    @property
    def places(self) -> int:
        return len(self.span) // self.profile.block_bytes

    @cached_property
    def table(self) -> bytes:
        size = self.profile.page_bytes
        return b"".join(sha256(self.span[at : at + size]).digest()[:4] for at in range(0, len(self.span), size))

    def block(self, place: int, count: int = 1) -> bytes:
        size = self.profile.block_bytes
        return self.span[place * size : (place + count) * size]


def make_image(
    seed: int, pages: int, *, of: Profile = SMALL, counter: int = 0, single: bool = False, padding: int = 9
) -> Image:
    """An image of random bytes that ends `padding` bytes before its trailer."""
    program = random.Random(seed).randbytes(pages * of.page_bytes - 32 - padding)
    version = m.Version(1, seed % 256, seed, 0).pack()
    board = of.name.encode().ljust(16, b"\0")
    trailer = m.Trailer(
        m.Trailer.MAGIC_VALUE, len(program), counter, version, zlib.crc32(board), pages, int(single), 0
    ).pack()
    covered = program + b"\xff" * padding + trailer[:-4]
    span = covered + zlib.crc32(covered).to_bytes(4, "little")
    manifest = m.Manifest(
        format=1,
        scheme=0,
        cipher=0,
        reserved=0,
        flags=int(single),
        signature_bytes=0,
        board=board,
        counter=counter,
        version=version,
        slot_base=of.slot_base,
        image_bytes=len(program),
        pages=pages,
        page_bytes=of.page_bytes,
        image_crc=zlib.crc32(covered),
        key_id=bytes(4),
        nonce=bytes(8),
        sha256=sha256(span).digest(),
        table_sha256=bytes(32),
    )
    image = Image(of, span, manifest)
    return replace(image, manifest=replace(manifest, table_sha256=sha256(image.table).digest()))


@dataclass(frozen=True)
class Raw:
    """A body as no message would pack it."""

    kind: int
    body: bytes = b""

    def pack(self) -> bytes:
        return self.body


class Bench:
    """One board with power on, `image` in its primary slot and no boot record, and what a host says to it."""

    def __init__(self, of: Profile = SMALL, image: Image | None = None, *, seed: int = 1, uid: bytes = UID) -> None:
        self.profile = of
        self.board = self.make_board(of, seed, uid)
        if image is not None:
            self.board.flash[: len(image.span)] = image.span
        self.session = SESSION
        self.serial = 0
        self.event = BoardEvent.IDLE
        self.reply_bytes = 0
        self._reader = FrameReader(stream=True)
        self.power_on()

    def make_board(self, of: Profile, seed: int, uid: bytes) -> NativeBoard:
        return NativeBoard(of, seed, uid=uid)

    # --- power and time ------------------------------------------------------------------------------

    def power_on(self, weak: int = 0) -> None:
        self.board.power_on(weak)
        self.run(0.02)

    def reset(self) -> None:
        """What a watchdog does."""
        self.board.reset()
        self.run(0.02)

    def run(self, seconds: float) -> BoardEvent:
        """Lets time pass, up to the moment that the board leaves the loader, restarts or loses power."""
        until = self.board.now_s + seconds
        while True:
            self.event = self.board.run(until)
            if self.event in LEFT or self.board.now_s >= until - 1e-6:
                return self.event

    def work(self, seconds: float = 5.0) -> BoardEvent:
        """Lets the board do what is left to do, then returns without waiting further."""
        self.event = self.board.run(self.board.now_s + seconds)
        return self.event

    def start_app(self, *, stages: bool = False) -> None:
        """The application runs, and has for long enough to heed Enter."""
        assert self.event is BoardEvent.JUMPED
        self.board.app_start(stages=stages)
        self.run(HEEDS_S)

    def boot(self) -> BoardEvent:
        """After a restart, or from power-on: the loader runs until it leaves for the image, or 2 s have passed."""
        return self.run(2.0)

    # --- words ---------------------------------------------------------------------------------------

    def hear(self) -> list[frames.Frame]:
        heard = [frame for _, data in self.board.sent() for frame in self._reader.feed(data)]
        assert self._reader.damaged == 0
        return [frames.decode(frame) for frame in heard]

    def send(self, data: bytes, wait: float = 5.0) -> list[frames.Frame]:
        """Bytes on the line; what the board answers until it has done all there is to do, or `wait` seconds passed."""
        self.board.receive(self.board.now_s, data)
        self.event = self.board.run(self.board.now_s + len(data) * self.profile.send_byte_ns / 1e9 + wait)
        return self.hear()

    def wire(self, message: m.Message | Raw, session: int | None = None) -> bytes:
        self.serial = (self.serial + 1) % 256
        frame = frames.encode(cast(m.Message, message), self.session if session is None else session, self.serial)
        assert len(frame) <= self.profile.frame_bytes
        return frames.on_stream(frame)

    def say(self, message: m.Message | Raw, session: int | None = None, wait: float = 5.0) -> m.Message | None:
        """One request; its reply, checked to name this session and serial. None: the board said nothing."""
        heard = self.send(self.wire(message, session), wait)
        if not heard:
            return None
        (reply,) = heard
        assert reply.is_reply
        assert (reply.session, reply.serial) == (self.session if session is None else session, self.serial)
        return reply.message

    def ask(self, message: m.Message | Raw, kind: type[Reply], session: int | None = None) -> Reply:
        reply = self.say(message, session)
        assert isinstance(reply, kind), reply
        return reply

    def refusal(self, message: m.Message | Raw, session: int | None = None) -> str:
        return m.Reason(self.ask(message, m.Refused, session).reason).name.lower()

    # --- whole exchanges -----------------------------------------------------------------------------

    def info(self, frame_bytes: int = 0) -> m.Info:
        """The whole info record, in as many parts as it takes."""
        most = frame_bytes or self.profile.frame_bytes
        record = b""
        while True:
            reply = self.ask(m.Inspect(most, len(record), ANY), m.InspectReply)
            assert reply.offset == len(record)
            record += reply.part
            if len(record) >= reply.total:
                return m.Info.unpack(record)

    def enter(self) -> None:
        assert self.ask(m.Enter(self.board.uid), m.EnterReply).reason == m.Reason.OK

    def enter_from_app(self) -> None:
        self.enter()
        assert self.event is BoardEvent.RESTARTED
        self.run(0.02)

    def offer(self, image: Image | m.Manifest, part_bytes: int = 128, session: int | None = None) -> m.OfferReply:
        """The offer in parts; the reply to the last of them."""
        manifest = (image.manifest if isinstance(image, Image) else image).pack()
        part_bytes = min(part_bytes, self.profile.frame_bytes - 10)
        for at in range(0, len(manifest), part_bytes):
            reply = self.ask(m.Offer(at, manifest[at : at + part_bytes]), m.OfferReply, session)
        return reply

    def accept(self, image: Image, part_bytes: int = 128) -> None:
        reply = self.offer(image, part_bytes)
        assert (reply.reason, reply.next) == (m.Reason.OK, m.Manifest.BYTES)

    def block(self, image: Image, place: int, count: int = 1, session: int | None = None) -> None:
        assert self.say(m.Block(place, image.block(place, count)), session) is None

    def report(self, start: int = 0) -> m.ReportReply:
        return self.ask(m.Report(start), m.ReportReply)

    def missing(self) -> list[int]:
        """Every missing place, asked for report by report."""
        places: list[int] = []
        start = 0
        while True:
            report = self.report(start)
            assert report.start == start
            places += [place for gap in report.gaps for place in range(gap.place, gap.place + gap.count)]
            if not report.state & m.REPORT_MORE:
                return places
            start = places[-1] + 1

    def give(self, image: Image, runs: Iterable[tuple[int, int]] | None = None, step: int = 16) -> m.ReportReply:
        """Blocks as (place, count) runs, the whole image by default; then the report when it has digested."""
        chosen = runs or [(at, min(step, image.places - at)) for at in range(0, image.places, step)]
        for place, count in chosen:
            self.block(image, place, count)
        self.work()
        return self.report()

    def stage(self, image: Image) -> None:
        self.accept(image)
        assert self.give(image).state == m.TransferState.VERIFIED

    def apply(self) -> BoardEvent:
        reply = self.ask(m.Apply(), m.ApplyReply)
        assert reply.reason == m.Reason.OK
        return self.event if self.event in LEFT else self.run(1.0)

    def update(self, image: Image) -> None:
        """From the loader to the image on trial, its application running."""
        self.stage(image)
        assert self.apply() is BoardEvent.JUMPED
        self.start_app()

    def confirm(self, image: Image) -> int:
        return self.ask(m.Confirm(image.crc), m.ConfirmReply).reason

    def revert(self, image: Image) -> int:
        return self.ask(m.Revert(image.crc), m.RevertReply).reason

    def survey(self, image: Image, page: int = 0, count: int | None = None) -> list[bool]:
        count = image.pages - page if count is None else count
        reply = self.ask(m.Survey(page, image.table[4 * page : 4 * (page + count)]), m.SurveyReply)
        assert (reply.reason, reply.page) == (m.Reason.OK, page)
        return [bool(reply.agree[i // 8] >> (i % 8) & 1) for i in range(count)]

    # --- flash ---------------------------------------------------------------------------------------

    def runs(self, image: Image) -> bool:
        """The primary slot holds exactly this image."""
        return bytes(self.board.flash[: len(image.span)]) == image.span

    @property
    def staged_page(self) -> int:
        """Logical page that a dual-slot image is staged at: one above the start of the secondary slot."""
        return self.profile.slot_pages + 1

    @property
    def record_page(self) -> int:
        return 2 * self.profile.slot_pages + 1

    def area(self, name: str) -> bytes:
        slot, records = self.profile.slot_pages, self.profile.record_pages
        first, count = {
            "primary": (0, slot),
            "secondary": (slot, slot + 1),
            "record 0": (self.record_page, records),
            "record 1": (self.record_page + records, records),
        }[name]
        return self.board.read_span(first, count)

    def record(self) -> tuple[str, int]:
        """Kind and generation of the boot record that stands, by the bytes of firmware/DESIGN.md. 0: none."""
        best = ("none", 0)
        for name in ("record 0", "record 1"):
            unit = self.area(name)
            generation = int.from_bytes(unit[0:2], "little")
            whole = zlib.crc32(unit[:28]) == int.from_bytes(unit[28:32], "little") and unit[48] == 0
            if whole and generation > best[1]:
                best = (RECORD_KINDS[unit[2]], generation)
        return best

    def untouched_by(self, act: Callable[[], object]) -> bool:
        """`act` erases and programs nothing."""
        before, flash = self.board.operations, bytes(self.board.flash)
        act()
        return self.board.operations == before and bytes(self.board.flash) == flash


RECORD_KINDS = {1: "IDLE", 2: "REVERT", 3: "SINGLE", 4: "APPLY", 5: "CONFIRM"}


def board_running(image: Image, of: Profile | None = None) -> Bench:
    """A board that came out of the factory with `image`, in its entry window, told to stay."""
    bench = Bench(of or image.profile, image)
    bench.enter()
    return bench


def on_trial(old: Image, new: Image) -> Bench:
    """`new` runs on trial, `old` is its way back; the application answers."""
    bench = board_running(old)
    bench.update(new)
    return bench


def on_trial_in_loader(old: Image, new: Image) -> Bench:
    bench = on_trial(old, new)
    bench.enter_from_app()
    return bench
