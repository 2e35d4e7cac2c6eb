"""How fast the transport is without a radio: a whole push over bleak's BlueZ backend and the fake org.bluez, unpaced.

python -m tests.transport.ble.bluez.throughput    prints kB/s of the transfer, and of CPU time, at several MTUs

The board and both ends of the bus are in this one process: CPU time is what an idle machine would take.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from otaflash import session
from otaflash.image.bundle import bundle_from_image
from otaflash.transport.ble_link import open_ble
from otaflash.transport.ble_services import KNOWN, parse_ble
from tests.transport.ble.air import Device
from tests.transport.ble.bluez.bed import FakeBed, make_peer
from tests.transport.ble.peer import fast

IMAGE_BYTES = 240 * 1024 - 32


def measure(mtu: int) -> tuple[float, float]:
    """Bytes of the image for each second from Inspect to the report that every block is held, and for each second of
    CPU time of the whole push."""
    with tempfile.TemporaryDirectory() as folder:
        peer = make_peer(fast("nrf52832"), IMAGE_BYTES)
        bed = FakeBed(Path(folder), Device(peer, mtu=mtu))
        os.environ.update(bed.environment)
        link = open_ble(parse_ble("ble:lamp"), KNOWN)
        began_s = time.process_time()
        result = session.push(link, lambda info: bundle_from_image(peer.image))
        cpu_s = time.process_time() - began_s
        link.close()
        assert bed.is_right()
        bed.close()
        return result.image_bytes / result.transfer_seconds, result.image_bytes / cpu_s


if __name__ == "__main__":
    for size in (185, 247, 498):
        wall, cpu = measure(size)
        print(f"MTU {size}: {wall / 1000:.0f} kB/s; {cpu / 1000:.0f} kB for each second of CPU time")
