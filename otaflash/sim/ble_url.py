"""The BLE part of a `sim:` URL. Knows the model and its numbers, builds nothing.

ble=2M,247,15ms       PHY, ATT MTU, connection interval
ble=1M,247,30ms,6     and how many packets each way a connection event has at most
dle=no                packets of 27 bytes on the air, not 251
encrypted=yes
host=bluez|mac|windows|android     how the host queues its writes
disconnect=5s         the connection breaks so long after each coming up; disconnect=at:3s: once, at that time
supervision=2s        silence before an end takes the connection for lost
table=kept            a host that never looks at the services again
uart=115200           the board sits behind a UART module of this rate
loss=5% dup=5%        of packets on the air, which are sent again; of notifications that come twice
"""

from __future__ import annotations

from otaflash.errors import UsageError
from otaflash.sim import units
from otaflash.sim.ble import VALUE_BYTES_LEAST, BleModel, HostKind

BLE = "ble"
BLE_KEYS = {BLE, "dle", "encrypted", "host", "disconnect", "supervision", "table", "uart"}
SHARED_KEYS = {"loss", "dup"}
"""Keys that a link without BLE has too."""

_PHYS = {"1M": 1, "2M": 2}
_MTUS = range(VALUE_BYTES_LEAST + 3, 518)
_INTERVALS_S = (0.0075, 4.0)
"""Core specification 5.4, Vol 6, Part B, 4.5.1."""
_SUPERVISIONS_S = (0.1, 32.0)
"""The same, 4.5.2."""
_FORM = "PHY,MTU,interval[,packets], such as 2M,247,15ms or 1M,247,30ms,6"


def ble_model(given: dict[str, str]) -> BleModel:
    """Reads the keys of BLE_KEYS and SHARED_KEYS that are given; `ble` is one of them. Raises UsageError."""
    phy, mtu, interval_s, packets = _air(given[BLE])
    every_s, at_s = _disconnect(given.get("disconnect"))
    return BleModel(
        phy=phy,
        mtu=mtu,
        interval_s=interval_s,
        packets=packets,
        extended=_yes("dle", given.get("dle", "yes")),
        encrypted=_yes("encrypted", given.get("encrypted", "no")),
        host=_host(given.get("host", HostKind.BLUEZ.value)),
        loss=_air_loss(given.get("loss", "0")),
        dup=units.chance("dup", given.get("dup", "0")),
        supervision_s=_time("supervision", given.get("supervision", "2s"), _SUPERVISIONS_S),
        disconnect_every_s=every_s,
        disconnect_at_s=at_s,
        keeps_table=_choice("table", given.get("table", "fresh"), {"fresh": False, "kept": True}),
        uart=_uart(given.get("uart")),
    )


def _air(text: str) -> tuple[int, int, float, int | None]:
    parts = text.split(",")
    if not 3 <= len(parts) <= 4:
        raise _bad(BLE, text, _FORM)
    if parts[0] not in _PHYS:
        raise _bad(BLE, text, f"{_FORM}; the PHY is 1M or 2M, not {parts[0]}")
    mtu = units.count(BLE, parts[1])
    if mtu not in _MTUS:
        raise _bad(BLE, text, f"{_FORM}; the MTU is {_MTUS[0]} to {_MTUS[-1]}, not {mtu}")
    packets = units.count(BLE, parts[3]) if len(parts) == 4 else None
    if packets == 0:
        raise _bad(BLE, text, f"{_FORM}; an event has at least one packet")
    return _PHYS[parts[0]], mtu, _time(BLE, parts[2], _INTERVALS_S), packets


def _time(key: str, text: str, limits: tuple[float, float]) -> float:
    value = units.seconds(key, text)
    least, most = limits
    if not least <= value <= most:
        raise _bad(key, text, f"a time from {least * 1000:g}ms to {most:g}s")
    return value


def _disconnect(text: str | None) -> tuple[float | None, float | None]:
    """Every so long, and once at a time."""
    if text is None:
        return None, None
    value = units.seconds("disconnect", text.removeprefix("at:"))
    if text.startswith("at:"):
        return None, value
    if value <= 0:
        raise _bad("disconnect", text, "a time such as 5s, or at:3s for once")
    return value, None


def _host(text: str) -> HostKind:
    try:
        return HostKind(text)
    except ValueError:
        raise _bad("host", text, f"one of {', '.join(kind.value for kind in HostKind)}") from None


def _air_loss(text: str) -> float:
    loss = units.chance("loss", text)
    if loss == 1:
        raise _bad("loss", text, "below 100%: on the air of BLE what is lost is sent again")
    return loss


def _uart(text: str | None) -> int | None:
    if text is None:
        return None
    rate = units.positive("uart", text)
    if not 300 <= rate <= 4_000_000:
        raise _bad("uart", text, "a rate from 300 to 4000k")
    return round(rate)


def _yes(key: str, text: str) -> bool:
    return _choice(key, text, {"yes": True, "no": False})


def _choice(key: str, text: str, choices: dict[str, bool]) -> bool:
    if text not in choices:
        raise _bad(key, text, " or ".join(choices))
    return choices[text]


def _bad(key: str, text: str, wanted: str) -> UsageError:
    return UsageError("port-bad-value", f"{key}={text}: not {wanted}", remedy=f"Give {key} as {wanted}.")
