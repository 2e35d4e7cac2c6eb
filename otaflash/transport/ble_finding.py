"""Which of the devices in the air is the board that is meant, at first and after it was lost. Knows no connection."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence

from otaflash.transport import ble_failures as failures
from otaflash.transport.ble import Radio, Sighting, end_loop, new_loop
from otaflash.transport.ble_failures import RadioError
from otaflash.transport.ble_services import BleTarget, Service

SCAN_S = 6.0
"""For the first look: several advertising intervals of a board that saves power."""
LISTEN_ON_S = 1.5
"""After the first board that fits: another one may."""
AGAIN_S = 3.0
"""For one look at a board that was there a moment ago."""
SAME_FIRST_S = 1.0
"""Before a board under another address is taken for it: the one with its own address may still come."""


class Finder:
    """Finds one board. What it is known by: its address, or name and service where the address is not known or has
    changed; macOS shows no address at all."""

    def __init__(self, target: BleTarget, services: Sequence[Service]) -> None:
        self._target = target
        self._services = tuple(services)
        self._known: Sighting | None = None
        self._service: Service | None = None
        self._bystanders: frozenset[str] = frozenset()
        """Addresses that were there beside the board: it has none of these after a restart."""

    @property
    def described(self) -> str:
        """The board, for messages."""
        if self._known is not None:
            return name_of(self._known)
        return self._target.name or self._target.address or f"a board with service {self._target.service}"

    async def find(self, radio: Radio) -> Sighting:
        """The board that is meant. Raises TargetError, RadioError."""
        seen = await self._look(radio)
        fitting = [each for each in seen if self._fits(each)]
        if len(fitting) > 1:
            raise failures.ambiguous(self._wanted(), [name_of(each) for each in fitting])
        if not fitting:
            boards = [name_of(each) for each in seen if service_of(each, self._services)]
            raise failures.not_found(self._wanted(), boards)
        self._known = fitting[0]
        self._bystanders = frozenset(each.address for each in seen) - {fitting[0].address}
        return fitting[0]

    async def find_again(self, radio: Radio) -> Sighting | None:
        """The board that was lost, perhaps under another address; None: not now. Raises RadioError."""
        loop = asyncio.get_running_loop()
        since_s: list[float] = []

        def enough(seen: Sequence[Sighting]) -> bool:
            if any(self._is_newcomer(each) for each in seen) and not since_s:
                since_s.append(loop.time())
            waited = bool(since_s) and loop.time() - since_s[0] >= SAME_FIRST_S
            return waited or any(self._is_same(each) for each in seen)

        seen = await radio.scan(AGAIN_S, enough)
        for rule in (self._is_same, self._is_namesake, self._is_newcomer):
            fitting = [each for each in seen if rule(each)]
            if len(fitting) == 1:
                return fitting[0]
            if fitting:
                return None
        return None

    def choose(self, offered: Mapping[str, Collection[str]]) -> Service:
        """The service to speak through, of those that a connected board has. Raises TargetError."""
        wanted = [each for each in self._services if {each.to_device, each.to_host} <= set(offered.get(each.uuid, ()))]
        if self._target.service is not None:
            wanted = [each for each in wanted if each.uuid == self._target.service]
        if self._service is not None:
            wanted = [each for each in wanted if each.stream == self._service.stream]
        if not wanted:
            raise failures.no_service(self.described, sorted(offered))
        return wanted[0]

    def connected(self, seen: Sighting, service: Service) -> None:
        """Notes what the board is known by from now on."""
        self._known, self._service = seen, service

    async def _look(self, radio: Radio) -> list[Sighting]:
        """One that is named by its address is enough; else others get a moment to show that they fit as well."""
        loop = asyncio.get_running_loop()
        seen = await radio.scan(SCAN_S, lambda seen: any(self._fits(each) for each in seen))
        if self._target.address is not None or not any(self._fits(each) for each in seen):
            return seen
        listened_from = loop.time()
        more = await radio.scan(LISTEN_ON_S, lambda _: loop.time() - listened_from > LISTEN_ON_S)
        return list({each.address: each for each in (*seen, *more)}.values())

    def _fits(self, seen: Sighting) -> bool:
        target = self._target
        if target.address is not None:
            return seen.address.lower() == target.address
        return (target.name is None or seen.name == target.name) and (
            target.service is None or target.service in seen.services
        )

    def _wanted(self) -> str:
        named = self._target.name or self._target.address
        service = f"service {self._target.service}" if self._target.service else ""
        return " with ".join(filter(None, (named, service)))

    def _is_same(self, seen: Sighting) -> bool:
        return self._known is not None and seen.address == self._known.address

    def _is_namesake(self, seen: Sighting) -> bool:
        return self._is_newcomer(seen) and self._known is not None and seen.name == self._known.name

    def _is_newcomer(self, seen: Sighting) -> bool:
        """Offers what the board offered, and was not there before. Loader and program may have different names."""
        return (
            self._service is not None and self._service.uuid in seen.services and seen.address not in self._bystanders
        )


def name_of(seen: Sighting) -> str:
    """``NAME (ADDRESS)``, for messages."""
    return f"{seen.name} ({seen.address})" if seen.name else seen.address


def service_of(seen: Sighting, services: Sequence[Service]) -> Service | None:
    """The first of `services` that it advertises."""
    return next((each for each in services if each.uuid in seen.services), None)


def scan_boards(
    seconds: float, radio: Radio | None = None, loop: asyncio.AbstractEventLoop | None = None
) -> list[Sighting]:
    """All that advertises within `seconds`, the strongest first. Raises TargetError where Bluetooth cannot be used."""
    loop = loop or new_loop()
    try:
        seen = loop.run_until_complete((radio or Radio()).scan(seconds, lambda _: False))
    except RadioError as error:
        raise failures.not_usable(error, "Bluetooth") from error
    finally:
        end_loop(loop)
    return sorted(seen, key=lambda each: (-each.rssi, each.address))
