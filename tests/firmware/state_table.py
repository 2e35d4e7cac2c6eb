"""The table of PROTOCOL.md section 6 as data, and what each of its words means on a board. A cell whose words mean
nothing here fails: table and tests cannot drift apart. Knows no scenario."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from otaflash.sim.native import BoardEvent
from otaflash.wire import frames
from otaflash.wire import messages as m
from tests.firmware.bench import Bench, Image, Raw

DOCUMENT = Path(__file__).resolve().parents[2] / "protocol" / "PROTOCOL.md"


@dataclass(frozen=True)
class Row:
    number: int
    operation: str
    when: str
    next: str
    persisted: str
    reply: str


def read_table() -> list[Row]:
    section = DOCUMENT.read_text().split("\n## 6. ", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [Row(int(number), *cells) for number, *cells in rows]


@dataclass(frozen=True)
class State:
    """What a host can learn. `transfer` is None where no session is accepted, `missing` then 0."""

    mode: m.Mode
    boot: m.BootState
    image_crc: int
    trials: int
    counter: int
    transfer: m.TransferState | None
    missing: int


def observe(bench: Bench) -> State:
    """Asks by Inspect and Report, which change nothing."""
    info = bench.info()
    report = bench.say(m.Report(0))
    held = isinstance(report, m.ReportReply)
    return State(
        m.Mode(info.mode),
        m.BootState(info.boot_state),
        info.image_crc,
        info.trials_used,
        info.counter,
        m.TransferState(report.state & ~m.REPORT_MORE) if isinstance(report, m.ReportReply) else None,
        len(bench.missing()) if held else 0,
    )


@dataclass
class Walk:
    """A board brought to where a row applies, and the request of that row; then what came of it.

    `image` is the one that the row is about, `old` what the board ran before it.
    """

    bench: Bench
    request: m.Message | Raw
    session: int | None = None
    image: Image | None = None
    old: Image | None = None
    then: Callable[[Walk], None] = lambda walk: None
    second: str = ""
    """Reply to a second copy where it is not that to the first, because the board has gone on."""

    watched: bool = True
    """False: the state before is not asked for, because the question would already be the row's request."""

    before: State = field(init=False)
    after: State = field(init=False)
    reply: m.Message | None = field(init=False)
    event: BoardEvent = field(init=False)
    operations: int = field(init=False)
    erased: set[int] = field(init=False)
    flash: tuple[bytes, bytes] = field(init=False)

    def go(self) -> None:
        """Says the request once, then lets a board that left go on."""
        bench = self.bench
        before = observe(bench) if self.watched else None
        flash, erases, operations = bytes(bench.board.flash), list(bench.board.erases), bench.board.operations
        self.wire = bench.wire(self.request, self.session)
        self.reply = only(bench.send(self.wire))
        self.event = bench.event
        self.operations = bench.board.operations - operations
        self.erased = {page for page, count in enumerate(bench.board.erases) if count != erases[page]}
        self.flash = (flash, bytes(bench.board.flash))
        go_on(bench, self.event)
        self.after = observe(bench)
        self.before = before or self.after

    def go_again(self) -> m.Message | None:
        """The same bytes once more; the reply."""
        again = only(self.bench.send(self.wire))
        go_on(self.bench, self.bench.event)
        return again


def only(heard: list[frames.Frame]) -> m.Message | None:
    assert len(heard) <= 1
    return heard[0].message if heard else None


def go_on(bench: Bench, event: BoardEvent) -> None:
    if event is BoardEvent.RESTARTED:
        bench.run(0.02)
    elif event is BoardEvent.JUMPED:
        bench.start_app()


# --- reply ------------------------------------------------------------------------------------------------


def says(reply: m.Message | None, cell: str, walk: Walk) -> None:
    """The reply is what the cell's words say."""
    word, *parts = cell.split(", ")
    if word == "none":
        assert reply is None
    elif word == "info":
        assert isinstance(reply, m.InspectReply)
        assert (reply.total, reply.offset) == (m.Info.BYTES, 0)
    elif word == "report":
        assert isinstance(reply, m.ReportReply)
    elif word.startswith("refused "):
        assert reply == m.Refused(walk.request.kind, reason(word.removeprefix("refused ")))
    else:
        assert reply is not None
        assert getattr(reply, "reason", None) == reason(word), reply
        assert reply.kind == walk.request.kind | m.REPLY
    for part in parts:
        PARTS[part](reply, walk)


def reason(name: str) -> m.Reason:
    return m.Reason[name.upper()]


def _has_next(reply: m.Message | None, walk: Walk) -> None:
    assert isinstance(reply, m.OfferReply)
    assert isinstance(walk.request, m.Offer)
    taken = walk.request.offset + len(walk.request.part)
    assert 0 <= reply.next <= m.Manifest.BYTES
    assert reply.next == taken or walk.after == walk.before


def _has_total(reply: m.Message | None, walk: Walk) -> None:
    assert isinstance(reply, m.OfferReply)
    assert reply.next == m.Manifest.BYTES


def _has_limit(reply: m.Message | None, walk: Walk) -> None:
    assert isinstance(reply, m.OfferReply)
    assert walk.image is not None
    assert reply.limit == walk.image.places


def _has_bits(reply: m.Message | None, walk: Walk) -> None:
    assert isinstance(reply, m.SurveyReply)
    assert isinstance(walk.request, m.Survey)
    assert (reply.page, len(reply.agree)) == (walk.request.page, (len(walk.request.digests) // 4 + 7) // 8)


def _has_wait(reply: m.Message | None, walk: Walk) -> None:
    assert isinstance(reply, m.ApplyReply)
    assert walk.image is not None
    pages = max(image.pages for image in (walk.image, walk.old) if image is not None)
    assert reply.wait_ms == pages * walk.image.profile.swap_page_ms


PARTS: dict[str, Callable[[m.Message | None, Walk], None]] = {
    "next": _has_next,
    "total": _has_total,
    "limit": _has_limit,
    "bits": _has_bits,
    "wait_ms": _has_wait,
}

# --- next -------------------------------------------------------------------------------------------------


def _same(walk: Walk) -> None:
    assert walk.after == walk.before
    assert walk.event is BoardEvent.IDLE


def _same_and_stays(walk: Walk) -> None:
    _same(walk)
    assert walk.bench.run(10.0) is BoardEvent.IDLE


def _restart(walk: Walk) -> None:
    assert walk.event is BoardEvent.RESTARTED
    assert walk.after.mode is m.Mode.LOADER


def _restart_and_stays(walk: Walk) -> None:
    _restart(walk)
    assert walk.bench.run(10.0) is BoardEvent.IDLE


def _next_of_offer(walk: Walk) -> int:
    return walk.bench.ask(m.Offer(0xFFFF, b""), m.OfferReply, walk.session).next


def _offering(walk: Walk) -> None:
    assert walk.after.transfer is None
    assert _next_of_offer(walk) > 0


def _forgotten(walk: Walk) -> None:
    assert walk.after == replace(walk.before, transfer=None, missing=0)
    assert _next_of_offer(walk) == 0


def _receiving(walk: Walk) -> None:
    assert walk.after.transfer is m.TransferState.RECEIVING
    assert walk.after.missing > 0
    assert walk.after.boot is walk.before.boot


def _map_kept(walk: Walk) -> None:
    assert walk.after.missing == len(walk.bench.missing())
    assert walk.image is not None
    assert walk.after.missing < walk.image.places
    assert walk.after.transfer is m.TransferState.RECEIVING


def _receiving_over_the_old(walk: Walk) -> None:
    assert (walk.before.boot, walk.after.boot) == (m.BootState.IDLE, m.BootState.NO_IMAGE)
    assert walk.after.transfer is m.TransferState.RECEIVING


def _by_what_is_held(walk: Walk) -> None:
    assert walk.after.transfer in (walk.before.transfer, m.TransferState.RECEIVING, m.TransferState.VERIFIED)


def _on_trial(walk: Walk) -> None:
    assert walk.event is BoardEvent.JUMPED
    assert walk.bench.board.jump_trial
    assert walk.image is not None
    assert (walk.after.boot, walk.after.image_crc) == (m.BootState.TRIAL, walk.image.crc)


def _idle(walk: Walk) -> None:
    assert walk.image is not None
    assert (walk.after.boot, walk.after.image_crc) == (m.BootState.IDLE, walk.image.crc)


def _idle_with_the_old(walk: Walk) -> None:
    assert walk.old is not None
    assert (walk.after.boot, walk.after.image_crc) == (m.BootState.IDLE, walk.old.crc)
    assert walk.bench.runs(walk.old)


NEXT: dict[str, Callable[[Walk], None]] = {
    "same": _same,
    "same, stays": _same_and_stays,
    "restart": _restart,
    "restart, loader stays": _restart_and_stays,
    "offering": _offering,
    "none": _forgotten,
    "receiving": _receiving,
    "receiving, or verifying; map kept": _map_kept,
    "receiving, or verifying when it was the last": _receiving,
    "as above": _receiving,
    "no_image, receiving": _receiving_over_the_old,
    "same, receiving or verifying, by what is then held": _by_what_is_held,
    "trial": _on_trial,
    "idle": _idle,
    "idle, the old image": _idle_with_the_old,
}

# --- persisted --------------------------------------------------------------------------------------------


def _nothing(walk: Walk) -> None:
    assert walk.operations == 0
    assert walk.flash[0] == walk.flash[1]


def _other_record_erased(walk: Walk) -> None:
    bench = walk.bench
    assert len(walk.erased) == bench.profile.record_pages
    assert min(walk.erased) >= bench.record_page
    assert walk.flash[0] == walk.flash[1] or bench.record()[1] == 0


def _page_and_chunk(walk: Walk) -> None:
    assert walk.image is not None
    assert isinstance(walk.request, m.Block | m.BlockReport)
    bench = walk.bench
    first = bench.staged_page if not walk.image.manifest.flags else 0
    at = first * bench.profile.page_bytes + walk.request.place * bench.profile.block_bytes
    assert bytes(bench.board.flash[at : at + len(walk.request.data)]) == walk.request.data
    assert {page for page in walk.erased if page < bench.record_page} == {at // bench.profile.page_bytes}


def _single_then_page(walk: Walk) -> None:
    assert walk.bench.record()[0] == "SINGLE"
    _page_and_chunk(walk)


def _page_and_credit(walk: Walk) -> None:
    """Where erase does not stall, the credit is the whole image and nothing is erased for it."""
    bench = walk.bench
    if not bench.profile.erase_stalls:
        _page_and_chunk(walk)
        return
    assert len(walk.erased) == bench.profile.erase_ahead
    assert isinstance(walk.reply, m.ReportReply)
    last = bench.staged_page + walk.reply.limit * bench.profile.block_bytes // bench.profile.page_bytes - 1
    assert max(walk.erased) == last


def _record(kind: str) -> Callable[[Walk], None]:
    def holds(walk: Walk) -> None:
        assert walk.bench.record()[0] == kind

    return holds


def _swapped(kind: str) -> Callable[[Walk], None]:
    def holds(walk: Walk) -> None:
        assert walk.bench.record()[0] == kind
        running, other = (walk.image, walk.old) if kind == "APPLY" else (walk.old, walk.image)
        assert running is not None
        assert other is not None
        assert walk.bench.runs(running)
        assert other.span in walk.bench.area("secondary")

    return holds


PERSISTED: dict[str, Callable[[Walk], None]] = {
    "-": _nothing,
    "other record erased": _other_record_erased,
    "record SINGLE, then as below": _single_then_page,
    "page erased at its first block; chunk programmed when full": _page_and_chunk,
    "as above; then pages for credit, where erase stalls": _page_and_credit,
    "record APPLY, the swap": _swapped("APPLY"),
    "record IDLE": _record("IDLE"),
    "record CONFIRM": _record("CONFIRM"),
    "record REVERT, the swap back": _swapped("REVERT"),
}
