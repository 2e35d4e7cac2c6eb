"""Bluetooth LE by bleak, which is imported here only, and late. Every wait has an end. Knows values, no message.

bleak has no time-outs on what it asks of the system: whatever is awaited is awaited through `within`. What went wrong
is told from what happened (the connection ended, the time is over, which kind of error), never from an error's text,
which differs between systems and their versions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from otaflash.errors import OtaflashError
from otaflash.transport.ble_failures import RadioError, Trouble
from otaflash.transport.ble_services import Service

if TYPE_CHECKING:
    from bleak import BleakClient
    from bleak.backends.characteristic import BleakGATTCharacteristic
    from bleak.backends.client import BaseBleakClient
    from bleak.backends.device import BLEDevice
    from bleak.backends.scanner import AdvertisementData, BaseBleakScanner

VALUE_LEAST = 20
"""ATT MTU 23, which every connection begins with."""
VALUE_MOST = 512
"""No attribute is longer. At MTU 517 systems promise 514, take 513, and the peer throws it away."""

CONNECT_S = 6.5
"""For connection and discovery of services: some boards advertise once a second, and discovery takes many events."""
CALL_S = 4.0
"""For anything else that the system is asked to do."""

T = TypeVar("T")
Choose = Callable[[Mapping[str, Collection[str]]], Service]
"""UUIDs of services, each with those of its characteristics -> the service to speak through."""


async def within(work: Coroutine[Any, Any, T], limit_s: float, gone: asyncio.Future[None] | None = None) -> T:
    """The one place where anything is awaited: ends with `work`, when `gone` is done, or after `limit_s` seconds.

    What did not end is cancelled, and not waited for: it may not heed that. Raises RadioError: gone, or overdue; and
    what `work` raises, unless the connection ended with it.
    """
    task = asyncio.ensure_future(work)
    try:
        ends: set[asyncio.Future[Any]] = {task} if gone is None else {task, gone}
        await asyncio.wait(ends, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        if task.done() and not task.cancelled() and task.exception() is None:
            return task.result()
        if gone is not None and gone.done():
            raise RadioError(Trouble.GONE)
        if not task.done():
            raise RadioError(Trouble.OVERDUE)
        return task.result()
    finally:
        if not task.done():
            task.cancel()
        task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())


def new_loop() -> asyncio.AbstractEventLoop:
    """An event loop that says nothing of calls that were left behind when their time was over."""
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)
    return loop


def end_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Cancels what still runs on the loop, gives it a moment to heed that, and closes the loop."""
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.wait(left, timeout=CALL_S))
    loop.close()


@dataclass(frozen=True, slots=True)
class Sighting:
    """A device that advertised during one scan. Not to be kept beyond the connection that follows."""

    device: Any
    """bleak's BLEDevice: perishable, since the system forgets what it has not seen for a while."""
    name: str
    address: str
    """As the system shows it; on macOS a UUID that this computer made up."""
    rssi: int
    """Signal in dBm, 0 the strongest."""
    services: tuple[str, ...]
    """UUIDs that it advertises, in lower case; a board may offer others once connected."""


class Radio:
    """This computer's Bluetooth. `scanner` and `client` stand in for bleak's own backends, in tests."""

    def __init__(
        self, scanner: type[BaseBleakScanner] | None = None, client: type[BaseBleakClient] | None = None
    ) -> None:
        self._scanner = scanner
        self._client = client

    async def scan(self, seconds: float, enough: Callable[[Sequence[Sighting]], bool]) -> list[Sighting]:
        """Who advertises, the latest of each, until `enough` of them or `seconds` are over. Raises RadioError."""
        seen: dict[str, Sighting] = {}
        found = asyncio.Event()

        def take(device: BLEDevice, heard: AdvertisementData) -> None:
            seen[device.address] = _sighting(device, heard)
            if enough(list(seen.values())):
                found.set()

        with _explained():
            from bleak import BleakScanner  # noqa: PLC0415

            scanner = BleakScanner(take, backend=self._scanner)
            try:
                await within(scanner.start(), CALL_S)
            except RadioError as error:
                raise RadioError(Trouble.SILENT) from error
            with suppress(RadioError):
                await within(found.wait(), seconds)
            with suppress(Exception):  # what was seen was seen
                await within(scanner.stop(), CALL_S)
        return list(seen.values())

    async def connect(
        self, seen: Sighting, choose: Choose, on_value: Callable[[bytes], None], *, pair: bool
    ) -> Connection:
        """Connects, discovers the services anew, and subscribes, so that no answer is missed. `choose` gets what the
        board offers; what it raises ends the connection. Raises RadioError."""
        with _explained():
            from bleak import BleakClient  # noqa: PLC0415

            connection = Connection()
            client = BleakClient(
                seen.device,
                disconnected_callback=lambda _: connection.end(),
                pair=pair,
                winrt={"use_cached_services": False},  # they may be those of another program on the board
                backend=self._client,
            )
            try:
                # Not raced against the end: BlueZ's backend may lose a first connection and make a second by itself.
                await within(client.connect(), CONNECT_S)
                connection.begin(client, choose)
                await within(client.start_notify(connection.to_host, _passed(on_value)), CALL_S, connection.gone)
            except BaseException:
                connection.client = client
                await connection.close()
                raise
        return connection


class Connection:
    """One connection, with the characteristics as they are in it: a board that restarts may have others."""

    service: Service
    to_device: BleakGATTCharacteristic
    to_host: BleakGATTCharacteristic

    def __init__(self) -> None:
        self.client: BleakClient | None = None
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the connection has ended, whoever ended it."""

    def begin(self, client: BleakClient, choose: Choose) -> None:
        """Takes up a client that has connected. Raises what `choose` raises, RadioError."""
        if not client.is_connected:
            raise RadioError(Trouble.GONE)
        self.client = client
        self.gone = asyncio.get_running_loop().create_future()
        offered = {each.uuid: {char.uuid: char for char in each.characteristics} for each in client.services}
        self.service = choose(offered)
        found = offered[self.service.uuid]
        self.to_device, self.to_host = found[self.service.to_device], found[self.service.to_host]

    def end(self) -> None:
        """Tells whoever waits that the connection is gone. May come twice."""
        if not self.gone.done():
            self.gone.set_result(None)

    @property
    def value_bytes(self) -> int:
        """The longest value that may be written now, 20 to 512. Rises late on Windows: to be asked for each time."""
        return max(VALUE_LEAST, min(self.to_device.max_write_without_response_size, VALUE_MOST))

    @property
    def answers(self) -> bool:
        """Whether a write can be asked to be answered by the board."""
        return "write" in self.to_device.properties

    async def write(self, value: bytes, limit_s: float, *, answered: bool = False) -> None:
        """Hands one value to the system, which promises nothing by taking it. `answered`: waits until the board's radio
        has taken it, and all before it. Raises RadioError."""
        assert self.client is not None
        answered = answered or "write-without-response" not in self.to_device.properties
        with _explained():
            await within(self.client.write_gatt_char(self.to_device, value, response=answered), limit_s, self.gone)

    async def close(self) -> None:
        """Ends it and lets go of what the system holds for it. Raises nothing; may be called twice."""
        client, self.client = self.client, None
        if client is not None:
            with suppress(Exception):
                await within(client.disconnect(), CALL_S)
        self.end()


def _sighting(device: BLEDevice, heard: AdvertisementData) -> Sighting:
    services = tuple(uuid.lower() for uuid in heard.service_uuids)
    return Sighting(device, heard.local_name or device.name or "", device.address, heard.rssi, services)


def _passed(on_value: Callable[[bytes], None]) -> Callable[[BleakGATTCharacteristic, bytearray], None]:
    return lambda _, value: on_value(bytes(value))


# --- telling what went wrong ------------------------------------------------------------------------------------

_DBUS_TROUBLES = {
    "org.freedesktop.DBus.Error.ServiceUnknown": Trouble.NO_SYSTEM,
    "org.freedesktop.DBus.Error.NameHasNoOwner": Trouble.NO_SYSTEM,
    "org.freedesktop.DBus.Error.AccessDenied": Trouble.DENIED,
    "org.freedesktop.DBus.Error.UnknownObject": Trouble.VANISHED,
    "org.bluez.Error.DoesNotExist": Trouble.VANISHED,
    "org.bluez.Error.NotReady": Trouble.OFF,
    "org.bluez.Error.NotPermitted": Trouble.PAIRING,  # "Not paired": bleak has made the others GATT errors
    "org.bluez.Error.AuthenticationFailed": Trouble.PAIRING,
    "org.bluez.Error.AuthenticationRejected": Trouble.PAIRING,
    "org.bluez.Error.AuthenticationCanceled": Trouble.PAIRING,
    "org.bluez.Error.AuthenticationTimeout": Trouble.PAIRING,
}
_WANTS_BOND = {0x05, 0x08, 0x0C, 0x0F}
"""ATT errors: insufficient authentication, authorization, encryption key size, encryption."""


@contextmanager
def _explained() -> Iterator[None]:
    """Turns whatever bleak and what lies below it raise into a RadioError."""
    try:
        yield
    except (RadioError, OtaflashError):
        raise
    except ModuleNotFoundError as error:
        raise RadioError(Trouble.MISSING, str(error)) from error
    except TimeoutError as error:
        raise RadioError(Trouble.OVERDUE) from error
    except PermissionError as error:
        raise RadioError(Trouble.DENIED) from error
    except (OSError, EOFError) as error:  # of the bus's socket: there is none, nobody listens, or it was closed
        raise RadioError(Trouble.NO_SYSTEM, str(error)) from error
    except Exception as error:  # bleak's own errors, and what its backends forgot to catch
        raise RadioError(_trouble(error), str(error) or type(error).__name__) from error


def _trouble(error: Exception) -> Trouble:
    from bleak import exc  # noqa: PLC0415

    match error:
        case exc.BleakBluetoothNotAvailableError(reason=reason):
            return _unavailable(reason.name)
        case exc.BleakDeviceNotFoundError():
            return Trouble.VANISHED
        case exc.BleakGATTProtocolError(code=code):
            return Trouble.PAIRING if code in _WANTS_BOND else Trouble.OTHER
        case exc.BleakDBusError(dbus_error=name):
            return _DBUS_TROUBLES.get(name, Trouble.OTHER)
    return Trouble.OTHER


def _unavailable(reason: str) -> Trouble:
    if reason.startswith("DENIED"):
        return Trouble.DENIED
    return {"POWERED_OFF": Trouble.OFF, "UNKNOWN": Trouble.OTHER}.get(reason, Trouble.NO_ADAPTER)
