"""How fast the transport is without a radio: a whole push over bleak's BlueZ backend and the fake org.bluez, unpaced.

python -m tests.transport.ble.bluez.throughput    prints kB/s of the transfer at several MTUs

The board and its end of the bus are in a process of their own, as bluetoothd is; its line, flash and CPU take no time.
"""

from __future__ import annotations

import os
import tempfile
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from otaflash import session
from otaflash.image.bundle import bundle_from_image
from otaflash.transport.ble_link import open_ble
from otaflash.transport.ble_services import KNOWN, parse_ble
from tests.transport.ble.air import Device
from tests.transport.ble.bluez.bed import FakeBed, make_peer
from tests.transport.ble.peer import Peer, fast

IMAGE_BYTES = 240 * 1024 - 32


def measure(mtu: int) -> float:
    """Bytes of the image a second, from Inspect to the report that every block is held."""
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = get_context("spawn").Pipe()
        process = get_context("spawn").Process(target=serve, args=(folder, mtu, theirs))
        process.start()
        os.environ.update(ours.recv())
        link = open_ble(parse_ble("ble:lamp"), KNOWN)
        image = board().image
        result = session.push(link, lambda info: bundle_from_image(image))
        link.close()
        ours.send("end")
        assert ours.recv(), "the board holds another image"
        process.join()
        return result.image_bytes / result.transfer_seconds


def board() -> Peer:
    made = make_peer(fast("nrf52832"), IMAGE_BYTES)
    made.hurries = True
    return made


def serve(folder: str, mtu: int, pipe: Connection) -> None:
    """The other process."""
    bed = FakeBed(Path(folder), Device(board(), mtu=mtu))
    pipe.send(bed.environment)
    pipe.recv()
    pipe.send(bed.is_right())
    bed.close()


if __name__ == "__main__":
    for size in (185, 247, 498):
        print(f"MTU {size}: {measure(size) / 1000:.0f} kB/s")
