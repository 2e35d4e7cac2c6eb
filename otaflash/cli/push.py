"""`otaflash push`: the whole update, from a file to the program that runs and is confirmed."""

from __future__ import annotations

from pathlib import Path

import click

from otaflash.api.facts import PushEvent, PushPlan, PushResult
from otaflash.api.program import Program, Wanted
from otaflash.api.sync import SyncBoard
from otaflash.cli.exchange import connected, shown_on
from otaflash.cli.facts import running_text
from otaflash.cli.help import command
from otaflash.cli.journal import recorded
from otaflash.cli.monitor import LOG_OPTION, watch
from otaflash.cli.output import Output
from otaflash.cli.prepare import FileType, base_option, key_option, read_program, version_option
from otaflash.cli.settings import common_options, settings_of
from otaflash.image.load import Base


@command(
    "otaflash push firmware.hex",
    "otaflash push firmware.hex --version 1.2.0 --port /dev/ttyUSB0",
    "otaflash push firmware.hex --key device.key",
    "otaflash push firmware.hex --no-confirm",
    "otaflash push firmware.hex --dry-run",
)
@click.argument("file", type=FileType())
@version_option
@base_option
@click.option("--counter", type=click.IntRange(0, 0xFFFFFFFF), help="Security counter; default: the board's own.")
@click.option("--single-slot", is_flag=True, help="Replace the only copy: for programs too large for two, no way back.")
@key_option
@click.option("--no-confirm", is_flag=True, help="Leave the new program on trial; it or you must confirm it.")
@click.option("--board", metavar="BOARD", help="Stop unless the board calls itself so.")
@click.option("--force", is_flag=True, help="Send the program even where it runs already.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent; change nothing on the board.")
@click.option("--monitor", is_flag=True, help="Then show what the program prints, until Ctrl-] or Ctrl-C.")
@LOG_OPTION
@common_options
@click.pass_context
def push(
    context: click.Context,
    *,
    file: Path,
    version: str | None,
    base: Base | None,
    counter: int | None,
    single_slot: bool,
    key: Path | None,
    no_confirm: bool,
    board: str | None,
    force: bool,
    dry_run: bool,
    monitor: bool,
    log: Path | None,
) -> None:
    """Send FILE, a program of any kind or a bundle, to the board, start it, and see that it runs.

    Until the new program is whole, checked and confirmed, the old one stays on the board. Interrupted by
    anything, push again: only what is missing is sent. What runs already is not sent at all.
    """
    if (dry_run and monitor) or (log is not None and not monitor):
        raise click.UsageError("--monitor goes with a push, --log with --monitor")
    settings = settings_of(context)
    program = read_program(file, Wanted(version, counter, single_slot, base=base), settings.config, key)
    output = settings.output()
    expected = settings.config.board if board is None else board  # "" of a script's unset variable lets nothing pass
    with connected(settings, output) as there:
        if dry_run:
            _tell_plan(there.plan(program, board=expected, force=force), output)
            return
        if monitor:
            there.check_text()
        result = _push(there, file, program, output, board=expected, confirm=not no_confirm, force=force)
        if monitor and not settings.as_json:  # for machines the result is the last line
            tell_result(result, output)
        if monitor:
            watch(there, settings, output, log)
    if settings.as_json or not monitor:
        tell_result(result, output)


def _push(
    there: SyncBoard, file: Path, program: Program, output: Output, *, board: str | None, confirm: bool, force: bool
) -> PushResult:
    """The push, shown and written down."""
    show = shown_on(output)
    with recorded(output, there, "push", file) as record:

        def follow(event: PushEvent) -> None:
            record.follow(event)
            show(event)

        record.result = there.push(program, board=board, confirm=confirm, force=force, on_event=follow)
    return record.result


def tell_result(result: PushResult, output: Output, **more: object) -> None:
    """The end of a push: for people time by phase and what was sent, then what runs now; for machines one line, `more`
    in it."""
    if not result.already_running:
        output.say(_times(result))
        output.say(_sent(result))
    output.answer("result", {"ok": True, "code": 0, **result_fields(result), **more}, _summary(result))


def result_fields(result: PushResult) -> dict[str, object]:
    """The numbers of the last JSON line. Times in seconds; goodput_ratio null where the line's rate is not known."""
    return {
        "image_bytes": result.image_bytes,
        "wire_bytes_down": result.wire_bytes_down,
        "wire_bytes_up": result.wire_bytes_up,
        "seconds": round(result.seconds, 3),
        "transfer_seconds": round(result.transfer_seconds, 3),
        "verify_seconds": round(result.verify_seconds, 3),
        "downtime_seconds": round(result.downtime_seconds, 3),
        "phase_seconds": {name: round(seconds, 3) for name, seconds in result.phases},
        "line_rate_bytes_per_s": result.line_rate_bytes_per_s,
        "goodput_ratio": None if result.goodput_ratio is None else round(result.goodput_ratio, 4),
        "retransmitted_blocks": result.retransmitted_blocks,
        "spare_blocks": result.spare_blocks,
        "uid": result.info.uid,
        "running_version": result.running_version,
        "already_running": result.already_running,
    }


def _times(result: PushResult) -> str:
    """``took 2.6 s: inspect 0.1, transfer 1.4, ...``, phases that took no time left out."""
    phases = ", ".join(f"{name} {seconds:.1f}" for name, seconds in result.phases if seconds >= 0.05)
    down = f"; {result.downtime_seconds:.1f} s without a program" if result.downtime_seconds else ""
    return f"took {result.seconds:.1f} s: {phases}{down}"


def _sent(result: PushResult) -> str:
    """What went over the wire, and how much of it in vain."""
    again = result.retransmitted_blocks
    ratio = "" if result.goodput_ratio is None else f", {result.goodput_ratio:.0%} of what the line carries"
    return (
        f"sent {result.wire_bytes_down:,} bytes for {result.image_bytes:,}{ratio}; "
        f"{again} block{'s' * (again != 1)} sent again"
    )


def _summary(result: PushResult) -> str:
    return running_text(result.info) + (" It ran already; nothing was sent." if result.already_running else "")


def _tell_plan(plan: PushPlan, output: Output) -> None:
    image = plan.image
    for warning in plan.warnings:
        output.show(warning)
    fields = {
        "ok": True,
        "code": 0,
        "dry_run": True,
        "board": plan.info.board,
        "uid": plan.info.uid,
        "running_version": plan.info.version,
        "already_running": plan.already_running,
        "version": image.version,
        "image_bytes": image.image_bytes,
        "image_crc": image.image_crc,
        "digest_sha256": image.sha256,
        "pages": image.pages,
        "wire_bytes_down": plan.wire_bytes,
        "transfer_seconds": None if plan.seconds is None else round(plan.seconds, 3),
    }
    output.answer("result", fields, f"{running_text(plan.info)}\n{_plan_text(plan)}")


def _plan_text(plan: PushPlan) -> str:
    image = plan.image
    what = f"version {image.version} ({image.image_bytes:,} bytes, CRC {image.image_crc:08X})"
    if plan.already_running:
        return f"A push would send nothing: {what} runs already. --force sends it all the same."
    time = "" if plan.seconds is None else f" in about {plan.seconds:.1f} s"
    pages = f"{image.pages} page{'s' * (image.pages != 1)}"
    return (
        f"A push would send {what} as {pages}, {plan.wire_bytes:,} bytes on the wire{time}, then have it checked, "
        "swapped in and started. Nothing was changed on the board."
    )
