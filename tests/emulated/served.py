"""`tools/emulated_board CHIP`: a chip that runs the shipped loader, on an emulator, for otaflash and other programs.

Prints the port that leads to its UART, a new pseudo-terminal, and runs in real time until Ctrl-C. The chip has power
from the moment when something is first sent to it, and forgets all at the end. `otaflash` without --port finds it.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from contextlib import closing

from otaflash.sim.serve import Door, PtyDoor, TcpDoor
from otaflash.transport.running import RunningBoard, announced
from tests.emulated.bridge import serve
from tests.emulated.chips import CHIPS


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="tools/emulated_board", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tcp", type=int, metavar="PORT", help="at this TCP port instead; 0: any free one")
    parser.add_argument("chip", choices=CHIPS, metavar="CHIP", help=", ".join(CHIPS))
    arguments = parser.parse_args()
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    board = CHIPS[arguments.chip]().make(1)
    door: Door = PtyDoor() if arguments.tcp is None else TcpDoor(arguments.tcp)
    with closing(door), announced(RunningBoard(door.name, arguments.chip)):
        board.on()
        print(door.name, flush=True)
        serve(board, door, stopped.is_set)
    return 0


if __name__ == "__main__":
    sys.exit(main())
