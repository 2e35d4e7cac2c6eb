"""A push through the whole transport in virtual time. Helpers of the tests beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from otaflash import session
from otaflash.engine import Event, Result
from otaflash.image.bundle import bundle_from_image
from otaflash.sim.app import Applications
from otaflash.sim.profiles import profile
from otaflash.transport.ble_link import BleLink, open_ble
from otaflash.transport.ble_services import KNOWN, OWN, Service, parse_ble
from tests.transport.ble.air import Air, Device, Host
from tests.transport.ble.peer import Peer
from tests.transport.ble.virtual import VirtualLoop

SETTLED_S = 2.0
"""By then the board has left its loader for its program."""


class Bench:
    """One air with one board in it, and a link to that board when it is asked for."""

    def __init__(
        self,
        *,
        board: str = "nrf52832",
        service: Service = OWN,
        seed: int = 1,
        host: Host | None = None,
        image_bytes: int = 9000,
        applications: Applications | None = None,
        **device: object,
    ) -> None:
        self.loop = VirtualLoop()
        self.air = Air(self.loop, seed, host)
        self.peer = Peer(
            profile(board), stream=service.stream, seed=seed, image_bytes=image_bytes, applications=applications
        )
        made = Device(self.peer, service=service, **device)  # type: ignore[arg-type]
        if service.stream:
            made.drops_on_restart = False
        self.device = self.air.add(made)
        self.loop.run_until_complete(asyncio.sleep(SETTLED_S))
        self.told: list[str] = []
        self.link: BleLink | None = None

    def open(self, port: str = "ble:lamp", services: Sequence[Service] = KNOWN) -> BleLink:
        self.link = open_ble(parse_ble(port), services, tell=self.told.append, radio=self.air.radio(), loop=self.loop)
        return self.link

    def push(self, on_event: Callable[[Event], None] = lambda event: None, *, port: str = "ble:lamp") -> Result:
        """Opens the link if it is not open, and pushes the board's new image. Raises OtaflashError."""
        link = self.link or self.open(port)
        return session.push(link, lambda info: bundle_from_image(self.peer.image), on_event, session=77)

    def later(self, delay_s: float, call: Callable[[], None]) -> None:
        self.loop.call_later(delay_s, call)

    def close(self) -> None:
        if self.link is not None:
            self.link.close()
        elif not self.loop.is_closed():
            self.loop.close()
