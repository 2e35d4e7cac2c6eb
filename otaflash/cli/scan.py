"""`otaflash scan`: which boards are in reach, at which port, and what runs on them. Asks; changes nothing anywhere."""

from __future__ import annotations

import click

from otaflash.api import scanning
from otaflash.api.events import WarningEvent
from otaflash.api.scanning import Found, Scan, State
from otaflash.cli.columns import columns
from otaflash.cli.help import command
from otaflash.cli.settings import common_options, settings_of

Row = dict[str, object]


@command("otaflash scan", "otaflash scan --passive --json")
@click.option("--passive", is_flag=True, help="Send no byte to any port: only list what there is.")
@common_options
@click.pass_context
def scan(context: click.Context, passive: bool) -> None:
    """List the boards in reach: at USB serial ports, at simulators that run here, over Bluetooth LE.

    Each port is asked who is there (Inspect), which a board answers beside its work: none is restarted,
    and over Bluetooth none is connected to. What stands under PORT goes behind --port.
    """
    settings = settings_of(context)
    output = settings.output()
    output.say("looking for boards")
    seen = scanning.scan(ask=not passive, baud=settings.baud, names=settings.config.ports, module=settings.module())
    if seen.no_ble is not None:
        output.show(WarningEvent(seen.no_ble.reason, f"no board is looked for over Bluetooth: {seen.no_ble.text}"))
    for each in seen.found:
        output.detail("board", row_of(each))
    fields: Row = {"ok": True, "code": 0, "boards": len(seen.found), "others": seen.others}
    fields["left_alone"] = list(seen.left_alone)
    output.answer("result", fields, table(seen))


def row_of(found: Found) -> Row:
    """What `scan --json` says of one port."""
    info = found.info
    return {
        "port": found.port,
        "name": found.name,
        "address": found.address,
        "signal_dbm": found.signal_dbm,
        "service": found.service,
        "service_uuid": found.service_uuid,
        "state": found.state.value,
        "why": found.why,
        "board": None if info is None else info.board,
        "uid": None if info is None else info.uid,
        "running_version": None if info is None else info.version,
        "boot_state": None if info is None else info.boot_state,
        "mode": None if info is None else info.mode,
    }


def table(seen: Scan) -> str:
    """What people see: a line for each board, why others do not answer, and what was left out."""
    found, others = seen.found, seen.others
    shown = [
        ("PORT", [each.port for each in found]),
        ("NAME", [each.name for each in found]),
        ("ADDRESS", [each.address for each in found]),
        ("SIGNAL", ["" if each.signal_dbm is None else f"{each.signal_dbm} dBm" for each in found]),
        ("SERVICE", [each.service for each in found]),
        ("BOARD", [each.info.board if each.info else "" for each in found]),
        ("RUNS", [(each.info.version or "nothing") if each.info else "" for each in found]),
        ("STATE", [state_text(each) for each in found]),
    ]
    filled = [[head, *cells] for head, cells in shown if any(cells)]
    lines = [columns(list(zip(*filled, strict=True))) if filled else "No board is in reach."]
    lines += [f"{each.port}: {each.why}." for each in found if each.state in _EXPLAINED]
    if seen.left_alone:
        lines.append(f"Left alone, being no USB devices: {', '.join(seen.left_alone)}. One that is named is asked.")
    if others:
        devices = (
            "1 other Bluetooth device advertises" if others == 1 else f"{others} other Bluetooth devices advertise"
        )
        lines.append(f"{devices} no service that leads to a board.")
    return "\n".join(lines)


_EXPLAINED = (State.OTHER, State.BUSY, State.FORBIDDEN, State.FAILED)
"""States whose reason a user can do something about."""


def state_text(found: Found) -> str:
    """One or two words: what the board does, or what came of asking."""
    info = found.info
    if info is None:
        return "" if found.state is State.NOT_ASKED else found.state.value
    if info.on_trial:
        return "on trial"
    return "in its loader" if info.mode == "loader" else "runs"
