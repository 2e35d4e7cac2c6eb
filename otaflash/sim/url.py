"""The `sim:` URL: which board, behind which link, with which faults. Knows the models, builds nothing.

    sim:BOARD?key=value&key=value

No percent-decoding takes place, since `%` is a unit here. A key of the link may begin with `down.` (host to board) or
`up.` (board to host) to mean one direction only; the directions' own keys win over the common ones.

    rate=57600            UART, bits per second at ten bits a byte
    delay=30ms jitter=40ms
    loss=5% dup=5% reorder=10% biterr=1e-4
    burst=2s/200ms/90%    good stretch, bad stretch, loss while bad
    outage=5s+10s/50%     from, length, loss meanwhile
    packet=100 buffer=202 air=78000    packet radio; packet=0: a plain wire
    ble=2M,247,15ms       BLE in place of all that; more keys in otaflash.sim.ble_url
    seed=7                of everything random
    app=good|stages|hang|crash|silent|enter   of every image; more behind commas: new:hang, 2.0.0:crash, 89abcdef:silent
    confirm=2s            good applications confirm themselves after this time
    says=1s               every application prints its version and for how long it runs, as often as that
    cut=12[:torn|:after]  power fails at flash operation 12 of the first boot, before it if nothing else is said
    cutat=3.2s off=1s     power fails at this time; how long it stays away
    state=FILE            flash is loaded from and saved to this file
    key=FILE              public key in its key page: it takes only what that key signed
    image=FILE            program (binary) in the primary slot instead of the factory image
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from otaflash.errors import UsageError
from otaflash.sim import units
from otaflash.sim.app import NEW, Application, Applications, Behaviour
from otaflash.sim.ble import BleModel
from otaflash.sim.ble_url import BLE, BLE_KEYS, SHARED_KEYS, ble_model
from otaflash.sim.radio import LinkModel, Way
from otaflash.sim.station import Power

SCHEME = "sim:"

_CUT_HOW = {"before": 1, "torn": 2, "after": 3}

Changes = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SimTarget:
    """What a `sim:` URL says."""

    board: str
    model: LinkModel | BleModel = field(default_factory=LinkModel)
    seed: int = 0
    applications: Applications = field(default_factory=Applications)
    power: Power = field(default_factory=Power)
    state: Path | None = None
    image: Path | None = None
    key: Path | None = None


def parse_sim_url(url: str) -> SimTarget:
    """Reads a `sim:` URL. Raises UsageError for an unknown key, a key said twice, or a value that does not fit."""
    board, _, query = url.removeprefix(SCHEME).partition("?")
    if not board:
        raise UsageError("port-no-board", f"{url}: no board is named", remedy="Name one, as in sim:atmega328p.")
    given = _pairs(query)
    ble = {key: given.pop(key) for key in list(given) if key in BLE_KEYS}
    link = {key: given.pop(key) for key in list(given) if key.rpartition(".")[2] in _LINK_KEYS}
    own = {key: given.pop(key) for key in list(given) if key in _OWN_KEYS}
    if given:
        known = ", ".join(sorted(_LINK_KEYS.keys() | _OWN_KEYS | BLE_KEYS))
        raise UsageError(
            "port-unknown-key",
            f"sim: has no key {next(iter(given))!r}",
            remedy=f"Keys are {known}; down. and up. before one.",
        )
    return SimTarget(
        board=board,
        model=_model(link, ble),
        seed=units.count("seed", own.get("seed", "0")),
        applications=_applications(own),
        power=_power(own),
        state=_path(own.get("state")),
        image=_path(own.get("image")),
        key=_path(own.get("key")),
    )


def _pairs(query: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for item in filter(None, query.split("&")):
        key, equals, value = item.partition("=")
        if not equals or not value:
            raise UsageError("port-bad-value", f"{item}: no value", remedy="Write key=value, with & between.")
        if key in pairs:
            raise UsageError("port-key-twice", f"{key} is given twice", remedy=f"Give {key} once.")
        pairs[key] = value
    return pairs


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


# --- the link -------------------------------------------------------------------------------------------------


def _model(link: dict[str, str], ble: dict[str, str]) -> LinkModel | BleModel:
    if not ble:
        return LinkModel(down=_way(link, "down"), up=_way(link, "up"))
    first = next(iter(ble))
    if BLE not in ble:
        raise UsageError("port-bad-value", f"{first} says nothing without ble", remedy="Add ble=1M,247,30ms.")
    other = next((key for key in link if key not in SHARED_KEYS), None)
    if other is not None:
        raise UsageError(
            "port-bad-value", f"{other} does not go with ble", remedy=f"Leave out {other}, or leave out ble."
        )
    return ble_model({**link, **ble})


def _burst(key: str, text: str) -> Changes:
    good, bad, loss = units.parts(key, text, 3, "good/bad/loss, such as 2s/200ms/90%")
    return {
        "burst_good_s": units.seconds(key, good),
        "burst_bad_s": units.seconds(key, bad),
        "burst_loss": units.chance(key, loss),
    }


def _outage(key: str, text: str) -> Changes:
    window, loss = units.parts(key, text, 2, "from+length/loss, such as 5s+10s/50%")
    start, _, length = window.partition("+")
    return {
        "outage_from_s": units.seconds(key, start),
        "outage_s": units.seconds(key, length),
        "outage_loss": units.chance(key, loss),
    }


def _rate(key: str, text: str) -> Changes:
    rate = units.positive(key, text)
    if not 300 <= rate <= 4_000_000:
        raise UsageError("port-bad-value", f"{key}={text}: no such line", remedy="Give a rate from 300 to 4000k.")
    return {"rate": rate}


def _one(field_name: str, read: Callable[[str, str], Any]) -> Callable[[str, str], Changes]:
    return lambda key, text: {field_name: read(key, text)}


_LINK_KEYS: dict[str, Callable[[str, str], Changes]] = {
    "rate": _rate,
    "delay": _one("delay_s", units.seconds),
    "jitter": _one("jitter_s", units.seconds),
    "loss": _one("loss", units.chance),
    "dup": _one("dup", units.chance),
    "reorder": _one("reorder", units.chance),
    "biterr": _one("biterr", units.chance),
    "burst": _burst,
    "outage": _outage,
    "packet": _one("packet_bytes", units.count),
    "buffer": _one("buffer_bytes", units.count),
    "air": _one("air_rate", units.positive),
}


def _way(link: dict[str, str], direction: str) -> Way:
    way = Way()
    for prefix in ("", f"{direction}."):
        for key, text in link.items():
            if key.removeprefix(prefix) in _LINK_KEYS and key.startswith(prefix):
                way = replace(way, **_LINK_KEYS[key.removeprefix(prefix)](key, text))
    _check_prefixes(link)
    if way.packet_bytes > way.buffer_bytes:
        raise UsageError(
            "port-bad-value",
            f"a buffer of {way.buffer_bytes} bytes never fills a packet of {way.packet_bytes}",
            remedy="Give buffer at least the size of packet.",
        )
    return way


def _check_prefixes(link: dict[str, str]) -> None:
    for key in link:
        if key.rpartition(".")[0] not in ("", "down", "up"):
            raise UsageError(
                "port-unknown-key", f"sim: has no key {key!r}", remedy="Only down. and up. stand before a key."
            )


# --- the application and the power ----------------------------------------------------------------------------


def _applications(own: dict[str, str]) -> Applications:
    confirm = units.seconds("confirm", own["confirm"]) if "confirm" in own else None
    says = units.seconds("says", own["says"]) if "says" in own else None
    if says == 0:
        raise UsageError("port-bad-value", "says=0s: no program prints without end", remedy="Write says=1s.")
    default = Application(confirm_after_s=confirm, says_every_s=says)
    by_image: dict[str | int, Application] = {}
    for item in own.get("app", "good").split(","):
        image, _, name = item.rpartition(":")
        application = replace(default, behaviour=_behaviour(name))
        if image:
            by_image[_image_key(image)] = application
        else:
            default = application
    return Applications(default, by_image)


def _behaviour(name: str) -> Behaviour:
    try:
        return Behaviour(name)
    except ValueError:
        names = ", ".join(behaviour.value for behaviour in Behaviour)
        raise UsageError("port-bad-value", f"app={name}: no such behaviour", remedy=f"There are {names}.") from None


def _image_key(text: str) -> str | int:
    if text == NEW or "." in text:
        return text
    try:
        return int(text, 16)
    except ValueError:
        raise UsageError(
            "port-bad-value", f"app={text}: names no image", remedy="Name it by version, by CRC in hexadecimal, or new."
        ) from None


def _power(own: dict[str, str]) -> Power:
    power = Power()
    if "cut" in own:
        operation, _, how = own["cut"].partition(":")
        if (how or "before") not in _CUT_HOW:
            raise UsageError(
                "port-bad-value", f"cut={own['cut']}: not a cut", remedy="Write cut=12, cut=12:torn or cut=12:after."
            )
        power = replace(power, cut_operation=units.count("cut", operation), cut_how=_CUT_HOW[how or "before"])
    if "cutat" in own:
        power = replace(power, cut_at_s=units.seconds("cutat", own["cutat"]))
    if "off" in own:
        power = replace(power, off_s=units.seconds("off", own["off"]))
    return power


_OWN_KEYS = {"seed", "app", "confirm", "says", "cut", "cutat", "off", "state", "image", "key"}
