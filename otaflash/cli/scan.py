"""`otaflash scan`: which boards are in reach by Bluetooth, and which serial ports there are. Connects to none."""

from __future__ import annotations

from collections.abc import Sequence

import click

from otaflash.api.events import WarningEvent
from otaflash.cli.help import command
from otaflash.cli.settings import common_options, settings_of
from otaflash.errors import TargetError
from otaflash.transport.ble_finding import scan_boards, service_of
from otaflash.transport.ble_services import SCHEME, Service
from otaflash.transport.open import find_ports, known_services

SCAN_S = 5.0
"""Several advertising intervals of a board that saves power."""

Row = dict[str, object]


@command("otaflash scan")
@common_options
@click.pass_context
def scan(context: click.Context) -> None:
    """List the boards that advertise over Bluetooth LE, and the serial ports that are USB devices.

    Nothing is connected to and nobody is disturbed. What stands under PORT goes behind --port.
    """
    settings = settings_of(context)
    services = known_services(settings.module())
    output = settings.output()
    output.say(f"listening for {SCAN_S:.0f} s")
    rows, others = serial_rows(), 0
    try:
        found, others = ble_rows(services)
        rows = found + rows
    except TargetError as error:  # serial ports can be listed all the same
        output.show(WarningEvent(error.reason, f"no board is looked for over Bluetooth: {error.text}"))
    if settings.as_json:
        for row in rows:
            output.answer("board", row, "")
    fields: Row = {"ok": True, "code": 0, "boards": len(rows), "others": others}
    output.answer("result", fields, table(rows, others))


def ble_rows(services: Sequence[Service]) -> tuple[list[Row], int]:
    """One row for each board, the strongest first, and how many devices are none. Raises TargetError."""
    seen = scan_boards(SCAN_S)
    rows: list[Row] = []
    names = [each.name for each in seen]
    for each in seen:
        service = service_of(each, services)
        if service is None:
            continue
        port = each.name if each.name and names.count(each.name) == 1 and "?" not in each.name else each.address
        rows.append(
            {
                "port": SCHEME + port,
                "name": each.name,
                "address": each.address,
                "signal_dbm": each.rssi,
                "service": service.name,
                "service_uuid": service.uuid,
            }
        )
    return rows, len(seen) - len(rows)


def serial_rows() -> list[Row]:
    """One row for each serial port that may lead to a board."""
    return [
        {
            "port": each.device,
            "name": each.description,
            "address": each.usb,
            "signal_dbm": None,
            "service": "serial",
            "service_uuid": None,
        }
        for each in find_ports()
    ]


def table(rows: Sequence[Row], others: int) -> str:
    """What people see: a line for each board, and what was left out."""
    lines = [["PORT", "NAME", "ADDRESS", "SIGNAL", "SERVICE"]] if rows else []
    for row in rows:
        signal = "" if row["signal_dbm"] is None else f"{row['signal_dbm']} dBm"
        lines.append([str(row["port"]), str(row["name"]), str(row["address"]), signal, str(row["service"])])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    text = text or ["No board is in reach."]
    if others:
        devices = (
            "1 other Bluetooth device advertises" if others == 1 else f"{others} other Bluetooth devices advertise"
        )
        text.append(f"{devices} no service that leads to a board.")
    return "\n".join(text)
