"""Scenarios for the rows from Confirm on: the image on trial, and what no row before speaks of."""

from __future__ import annotations

from otaflash.sim.native import BoardEvent
from otaflash.wire import messages as m
from tests.firmware.bench import SMALL, Bench, Raw, board_running, on_trial, on_trial_in_loader
from tests.firmware.scenarios import (
    NEW,
    OLD,
    OTHER,
    OTHER_SESSION,
    confirmed,
    in_application,
    receiving,
    reverted,
    row,
)
from tests.firmware.state_table import Walk

# --- Confirm, Revert --------------------------------------------------------------------------------------


@row(43)
def confirm_of_another_image() -> Walk:
    """A late copy, meant for the image before."""
    return Walk(on_trial(OLD, NEW), m.Confirm(OLD.crc))


@row(43)
def confirm_without_an_image() -> Walk:
    """Nothing runs."""
    return Walk(Bench(SMALL), m.Confirm(0))


@row(44)
def confirm_in_the_application() -> Walk:
    """On trial."""
    return Walk(on_trial(OLD, NEW), m.Confirm(NEW.crc), image=NEW)


@row(44)
def confirm_in_the_loader() -> Walk:
    """On trial, with boots left."""
    return Walk(on_trial_in_loader(OLD, NEW), m.Confirm(NEW.crc), image=NEW)


@row(45)
def confirm_too_late() -> Walk:
    """Every boot was used, and the loader is about to revert."""
    bench = on_trial(OLD, NEW)
    for _ in range(SMALL.trials - 1):
        bench.reset()
        assert bench.boot() is BoardEvent.JUMPED
    bench.reset()
    return Walk(bench, m.Confirm(NEW.crc))


@row(45)
def confirm_of_a_damaged_image() -> Walk:
    """A byte of the image on trial is not what it was."""
    bench = on_trial_in_loader(OLD, NEW)
    bench.board.flash[77] ^= 1
    return Walk(bench, m.Confirm(NEW.crc))


@row(46)
def confirm_again() -> Walk:
    """Confirmed before."""
    return Walk(confirmed(), m.Confirm(NEW.crc), image=NEW)


@row(46)
def confirm_of_a_factory_image() -> Walk:
    """Never on trial."""
    return Walk(in_application(), m.Confirm(OLD.crc), image=OLD)


@row(47)
def revert_of_another_image() -> Walk:
    """On trial, but the request names the image before."""
    return Walk(on_trial_in_loader(OLD, NEW), m.Revert(OLD.crc))


@row(48)
def revert_in_the_loader() -> Walk:
    """On trial."""
    return Walk(on_trial_in_loader(OLD, NEW), m.Revert(NEW.crc), image=NEW, old=OLD)


@row(48)
def revert_in_the_application() -> Walk:
    """The loader walks after a restart."""
    return Walk(on_trial(OLD, NEW), m.Revert(NEW.crc), image=NEW, old=OLD)


@row(49)
def revert_after_confirm() -> Walk:
    """Its predecessor is gone."""
    return Walk(confirmed(), m.Revert(NEW.crc))


@row(50)
def revert_again() -> Walk:
    """Reverted before."""
    return Walk(reverted(), m.Revert(NEW.crc))


@row(51)
def revert_of_an_unknown_image() -> Walk:
    """No such image was ever on trial."""
    return Walk(in_application(), m.Revert(OTHER.crc))


@row(51)
def revert_of_an_older_image() -> Walk:
    """The record of the confirm says nothing of a revert."""
    return Walk(confirmed(), m.Revert(OLD.crc))


# --- Abort, and what no row before speaks of --------------------------------------------------------------


@row(52)
def abort() -> Walk:
    """A session with one page held."""
    bench = receiving()
    bench.block(NEW, 0, 16)
    return Walk(bench, m.Abort())


@row(53)
def abort_of_another_session() -> Walk:
    """Another host's."""
    return Walk(receiving(), m.Abort(), session=OTHER_SESSION)


@row(53)
def abort_in_the_application() -> Walk:
    """There is no session."""
    return Walk(in_application(), m.Abort())


@row(53)
def abort_before_the_offer_is_whole() -> Walk:
    """Half the manifest is here, and stays."""
    bench = board_running(OLD)
    bench.ask(m.Offer(0, NEW.manifest.pack()[:64]), m.OfferReply)
    return Walk(bench, m.Abort(), then=_half_is_kept)


def _half_is_kept(walk: Walk) -> None:
    assert walk.bench.ask(m.Offer(0xFFFF, b""), m.OfferReply).next == 64


@row(54)
def a_reply_of_another_device() -> Walk:
    """Heard on a shared channel."""
    return Walk(receiving(), Raw(m.Kind.INSPECT | m.REPLY, bytes(90)))


@row(54)
def a_refusal_of_another_device() -> Walk:
    """Answering it would never end."""
    return Walk(in_application(), Raw(0xFF, b"\x05\x01"))


@row(55)
def kind_0() -> Walk:
    """The lowest that is not spoken."""
    return Walk(receiving(), Raw(0x00))


@row(55)
def kind_of_a_later_version() -> Walk:
    """In the application too."""
    return Walk(in_application(), Raw(0x3F, b"whatever"))


@row(55)
def kind_behind_the_blocks() -> Walk:
    """The first behind the encodings."""
    return Walk(receiving(), Raw(0x60, bytes(10)))


def _of_length(kind: int, count: int) -> None:
    def scenario() -> Walk:
        return Walk(receiving(), Raw(kind, bytes(count)))

    scenario.__doc__ = f"Kind 0x{kind:02X} with {count} bytes."
    row(56)(scenario)


for _kind, _lengths in {
    m.Kind.INSPECT: (0, 10, 12),
    m.Kind.ENTER: (7, 9),
    m.Kind.OFFER: (0, 1),
    m.Kind.REPORT: (0, 1, 3),
    m.Kind.SURVEY: (0, 1),
    m.Kind.APPLY: (1,),
    m.Kind.CONFIRM: (3, 5),
    m.Kind.REVERT: (0, 8),
    m.Kind.REBOOT: (0, 7, 9),
    m.Kind.ABORT: (1, 100),
}.items():
    for _length in _lengths:
        _of_length(_kind, _length)
