"""`otaflash sim`: a simulated board in real time, for otaflash itself or for any other program."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from threading import Event

import click

from otaflash.cli.help import command
from otaflash.cli.settings import common_options, settings_of
from otaflash.errors import UsageError
from otaflash.sim.boards import key_page
from otaflash.sim.profiles import profile
from otaflash.sim.serve import serve
from otaflash.sim.url import SCHEME, parse_sim_url
from otaflash.transport.running import RunningBoard, announced


@command("otaflash sim atmega328p --pty", "otaflash sim 'atmega328p?delay=30ms&loss=5%&state=board.bin' --tcp 7000")
@click.argument("board", metavar="BOARD[?KEY=VALUE&...]")
@click.option("--pty", is_flag=True, help="Serve it on a new pseudo-terminal, whose path is printed.")
@click.option("--tcp", "tcp_port", type=click.IntRange(0, 65535), help="Serve it on this TCP port; 0: any free one.")
@common_options
@click.pass_context
def sim(context: click.Context, board: str, pty: bool, tcp_port: int | None) -> None:
    """Serve a simulated BOARD that runs the real bootloader, until Ctrl-C.

    The keys behind BOARD are those of the port sim:BOARD, as in 'atmega328p?delay=30ms&loss=5%&state=board.bin'.
    """
    if pty == (tcp_port is not None):
        raise UsageError("serve-where", "a board is served at one place", remedy="give either --pty or --tcp PORT")
    settings = settings_of(context)
    output = settings.output()
    target = parse_sim_url(SCHEME + board.removeprefix(SCHEME))
    stopped, until_the_end = Event(), ExitStack()

    def on_ready(port: str) -> None:
        until_the_end.enter_context(announced(RunningBoard(port, target.board)))
        output.answer("ready", {"port": port, "board": target.board}, port)

    for number in (signal.SIGINT, signal.SIGTERM):  # a flag, since an exception may come where nothing takes it up
        signal.signal(number, lambda *_: stopped.set())
    with until_the_end:
        serve(
            profile(target.board),
            target.model,
            pty=pty,
            tcp_port=tcp_port,
            on_ready=on_ready,
            stop=stopped.is_set,
            seed=target.seed,
            applications=target.applications,
            power=target.power,
            image=target.image,
            state=target.state,
            key=key_page(target.key),
        )
    if settings.as_json:  # people see that it has ended
        output.answer("result", {"ok": True, "code": 0}, "")
