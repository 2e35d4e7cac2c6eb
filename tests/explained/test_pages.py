"""Every error has a page, and the page says what the code does: reason, exit code, whose fault."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable

import pytest

from otaflash.cli import failures as cli_failures
from otaflash.engine import failures as engine_failures
from otaflash.errors import ExitCode, Fault, ImageError, LinkError, OtaflashError, TargetError, UsageError
from otaflash.explained import Page, all_pages, near
from otaflash.image import hexfile
from otaflash.transport import ble_failures
from otaflash.wire.messages import PROTOCOL_VERSION, Reason
from tests.explained.raised import Raised, raised

Fact = tuple[str, ExitCode, Fault]

BY_CLASS: dict[str, type[ImageError | TargetError | LinkError | UsageError]] = {
    "ImageError": ImageError,
    "TargetError": TargetError,
    "LinkError": LinkError,
    "UsageError": UsageError,
}


def facts(errors: Iterable[OtaflashError]) -> set[Fact]:
    return {(error.reason, error.exit_code, error.fault) for error in errors}


def of_class(kind: str, reasons: Iterable[str]) -> set[Fact]:
    return {(reason, BY_CLASS[kind].CODE, BY_CLASS[kind].FAULT) for reason in reasons}


def radio(trouble: ble_failures.Trouble) -> ble_failures.RadioError:
    return ble_failures.RadioError(trouble)


# Where the reason is no text in the source: what it can be, from what it is taken from.
TAKEN_FROM: dict[str, Callable[[], set[Fact]]] = {
    "cli.exchange._opened": set,  # an error of the port, said again with the name that may have been meant
    "cli.factory._read_loader": set,  # an error of the loader's file, said again with its name
    "cli.failures._from_system": lambda: of_class("UsageError", (r for r, _ in cli_failures._SYSTEM_REMEDIES.values())),
    "engine.failures.protocol": lambda: facts(engine_failures.protocol(v, v) for v in (0, PROTOCOL_VERSION + 1)),
    "engine.failures.refused": lambda: facts(engine_failures.refused(r, "it") for r in (*Reason, 99)),
    "image.factory._check_loader": lambda: of_class(
        "ImageError", ("loader-overlaps-slot", "loader-overlaps-record", "loader-overlaps-key")
    ),
    "image.hexfile._refuse_line": lambda: of_class("ImageError", (r for r, _ in hexfile._BY_INTELHEX.values())),
    "transport.ble_failures.not_usable": lambda: facts(
        ble_failures.not_usable(radio(trouble), "it") for trouble in ble_failures.Trouble
    ),
    "transport.ble_failures.lost_for_good": lambda: facts(
        ble_failures.lost_for_good(radio(trouble), "it") for trouble in ble_failures.HOPELESS
    ),
}

PLACES = raised()


def known_facts() -> dict[str, set[tuple[ExitCode, Fault]]]:
    """What the source may raise: codes and faults of each reason."""
    found: dict[str, set[tuple[ExitCode, Fault]]] = defaultdict(set)
    for place in PLACES:
        for reason, code, fault in stated(place):
            found[reason].add((code, fault))
    return found


def stated(place: Raised) -> set[Fact]:
    if place.reason is None:
        return TAKEN_FROM[place.place]()
    if place.kind in BY_CLASS:
        return of_class(place.kind, [place.reason])
    return {(place.reason, ExitCode[code], Fault[fault]) for code in place.codes for fault in place.faults}


def test_where_a_reason_is_no_text_in_the_source_is_known() -> None:
    assert {place.place for place in PLACES if place.reason is None} == TAKEN_FROM.keys()


def test_every_reason_that_is_raised_has_a_page() -> None:
    assert known_facts().keys() - all_pages().keys() == set(), "write its page into otaflash/explained/*.toml"


def test_every_page_belongs_to_a_reason_that_is_raised() -> None:
    assert all_pages().keys() - known_facts().keys() == set()


def test_every_page_has_the_exit_codes_and_the_faults_of_the_code() -> None:
    wrong = {}
    known = known_facts()
    for page in all_pages().values():
        codes, faults = ({each[n] for each in known[page.reason]} for n in range(2))
        if (set(page.codes), set(page.faults)) != (codes, faults):
            wrong[page.reason] = (codes, faults)
    assert wrong == {}


@pytest.mark.parametrize("page", all_pages().values(), ids=lambda page: str(page.reason))
def test_a_page_is_whole_and_in_sentences(page: Page) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", page.reason)
    assert page.means.endswith(".")
    assert page.causes
    assert page.remedies
    assert all(line.strip() == line and len(line) > 10 for line in (*page.causes, *page.remedies))


def test_a_reason_nearly_right_leads_to_the_right_one() -> None:
    assert near("hex_no_end")[0] == "hex-no-end"
    assert near("Port-Bussy")[0] == "port-busy"
    assert "ble-permission" in near("permission")
    assert near("qqqqqq") == []
    assert near("") == []
