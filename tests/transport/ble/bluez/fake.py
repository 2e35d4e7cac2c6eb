"""A fake org.bluez (T2): what bleak's own BlueZ backend asks of bluetoothd, over boards of `air.Device`.

Kept honest by tests/transport/ble/test_bluez.py, whose sentences hold over the real bluetoothd, too.
"""

from __future__ import annotations

import asyncio
from typing import Any

from tests.transport.ble.air import Device, restarted
from tests.transport.ble.bluez.bus import Bus, DBusError, Reply
from tests.transport.ble.bluez.wire import Message, Variant

ADAPTER = "/org/bluez/hci0"
ADVERTISES_S = 0.05
RESOLVES_S = 0.02
SUPERVISION_S = 0.2

Properties = dict[str, Variant]


class FakeBluez:
    """One adapter and the boards in its reach, on the running loop."""

    def __init__(self) -> None:
        self.bus = Bus("org.bluez", self._call)
        self.hangs: set[str] = set()
        """Methods that are never answered."""
        self.errors: dict[str, DBusError] = {}
        """Methods that are refused, with what."""
        self.calls: list[str] = []
        self._devices: dict[str, Device] = {}
        self._objects: dict[str, dict[str, Properties]] = {"/org/bluez": {}, ADAPTER: {"org.bluez.Adapter1": adapter()}}
        self._notifying: set[str] = set()

    # --- the world's side

    def add(self, device: Device) -> None:
        loop = asyncio.get_running_loop()
        self._devices[device.address] = device
        if device.peer is not None:
            device.peer.on_value = lambda value: self._notify(device, value)
            device.peer.on_restart = lambda: self._restarted(device)
            device.peer.put_on(loop)

    def _restarted(self, device: Device) -> None:
        del self._devices[device.address]
        restarted(device, asyncio.get_running_loop(), lambda: self.lose(device))
        self._devices[device.address] = device

    def lose(self, device: Device) -> None:
        """The connection breaks, which BlueZ sees after the supervision time-out."""
        path = device.connection
        if path is not None:
            device.connection = "lost"
            asyncio.get_running_loop().call_later(SUPERVISION_S, self._disconnected, device, path)

    def set_powered(self, on: bool) -> None:
        self._set(ADAPTER, "org.bluez.Adapter1", Powered=Variant("b", on))

    def remove_adapter(self) -> None:
        self._remove(ADAPTER)

    def _notify(self, device: Device, value: bytes) -> None:
        if device.connection in (None, "lost"):
            return
        path = self._characteristic(device, device.service.to_host)
        if path in self._notifying:
            most = device.mtu - 3
            for at in range(0, len(value), most):
                self._set(path, "org.bluez.GattCharacteristic1", Value=Variant("ay", value[at : at + most]))

    # --- the bus's side

    async def _call(self, call: Message) -> Reply:
        self.calls.append(call.member)
        if call.member in self.hangs:
            await asyncio.get_running_loop().create_future()
        if call.member in self.errors:
            raise self.errors[call.member]
        if call.member == "GetManagedObjects":
            return "a{oa{sa{sv}}}", [self._objects]
        if call.path not in self._objects:
            raise DBusError(
                "org.freedesktop.DBus.Error.UnknownObject", f"Method {call.member} with no object {call.path}"
            )
        answer = getattr(self, f"_do_{call.member}", None)
        if answer is None:
            raise DBusError("org.freedesktop.DBus.Error.UnknownMethod", f"no method {call.member}")
        await answer(call)
        return "", []

    async def _do_Set(self, call: Message) -> None:
        interface, name, value = call.body
        self._objects[call.path][interface][name] = Variant("b", value)

    async def _do_SetDiscoveryFilter(self, call: Message) -> None: ...

    async def _do_StartDiscovery(self, call: Message) -> None:
        properties = self._objects[ADAPTER]["org.bluez.Adapter1"]
        if not properties["Powered"].value:
            raise DBusError("org.bluez.Error.NotReady", "Resource Not Ready")
        if properties["Discovering"].value:
            raise DBusError("org.bluez.Error.InProgress", "Operation already in progress")
        self._set(ADAPTER, "org.bluez.Adapter1", Discovering=Variant("b", True))
        self._advertise(0)

    async def _do_StopDiscovery(self, call: Message) -> None:
        if not self._objects[ADAPTER]["org.bluez.Adapter1"]["Discovering"].value:
            raise DBusError("org.bluez.Error.Failed", "No discovery started")
        self._set(ADAPTER, "org.bluez.Adapter1", Discovering=Variant("b", False))

    async def _do_Connect(self, call: Message) -> None:
        device = self._device_at(call.path)
        await asyncio.sleep(RESOLVES_S)
        if device is None or not device.advertising or device.connection is not None:
            await asyncio.sleep(SUPERVISION_S)
            raise DBusError("org.bluez.Error.Failed", "le-connection-abort-by-local")
        device.connection = call.path
        self._set(call.path, "org.bluez.Device1", Connected=Variant("b", True))
        asyncio.get_running_loop().call_later(RESOLVES_S, self._resolve, device, call.path)

    async def _do_Disconnect(self, call: Message) -> None:
        device = self._device_at(call.path)
        if device is not None:
            self._disconnected(device, call.path)

    async def _do_Pair(self, call: Message) -> None:
        await self._do_Connect(call)
        self._set(call.path, "org.bluez.Device1", Paired=Variant("b", True))

    async def _do_StartNotify(self, call: Message) -> None:
        self._device_of(call.path)
        self._notifying.add(call.path)

    async def _do_StopNotify(self, call: Message) -> None:
        self._notifying.discard(call.path)

    async def _do_WriteValue(self, call: Message) -> None:
        device = self._device_of(call.path)
        value = call.body[0]
        if len(value) > device.mtu - 3:
            raise DBusError("org.bluez.Error.Failed", "Failed to initiate write")
        device.values.append(len(value))
        if device.connection != "lost" and device.peer is not None:
            device.peer.write(value)

    # --- objects

    def _advertise(self, beat: int) -> None:
        if ADAPTER not in self._objects or not self._objects[ADAPTER]["org.bluez.Adapter1"]["Discovering"].value:
            return
        for device in self._devices.values():
            if device.advertising and device.connection is None:
                self._show(device, beat)
        asyncio.get_running_loop().call_later(ADVERTISES_S, self._advertise, beat + 1)

    def _show(self, device: Device, beat: int) -> None:
        path = f"{ADAPTER}/dev_{device.address.replace(':', '_')}"
        rssi = Variant("n", device.rssi - beat % 2)
        if path in self._objects:
            self._set(path, "org.bluez.Device1", RSSI=rssi)
        else:
            self._add(path, "org.bluez.Device1", {**described(device), "RSSI": rssi})

    def _resolve(self, device: Device, path: str) -> None:
        if device.connection != path:
            return
        table = device.table or ((device.service.uuid, (device.service.to_device, device.service.to_host)),)
        handle = 16 * (1 + device.life)
        for uuid, characteristics in table:
            service = f"{path}/service{handle:04x}"
            stated = {"UUID": Variant("s", uuid), "Device": Variant("o", path), "Primary": Variant("b", True)}
            self._add(service, "org.bluez.GattService1", stated)
            for each in dict.fromkeys(characteristics):
                handle += 2
                made = characteristic(each, service, flags_of(each, characteristics), device.mtu)
                self._add(f"{service}/char{handle:04x}", "org.bluez.GattCharacteristic1", made)
            handle += 16
        self._set(path, "org.bluez.Device1", ServicesResolved=Variant("b", True))

    def _disconnected(self, device: Device, path: str) -> None:
        device.connection = None
        self._notifying = {each for each in self._notifying if not each.startswith(path)}
        for each in sorted((each for each in self._objects if each.startswith(path + "/")), reverse=True):
            self._remove(each)
        if path in self._objects and self._objects[path]["org.bluez.Device1"]["Connected"].value:
            self._set(path, "org.bluez.Device1", ServicesResolved=Variant("b", False))
            self._set(path, "org.bluez.Device1", Connected=Variant("b", False))

    def _device_at(self, path: str) -> Device | None:
        return self._devices.get(path.rpartition("/dev_")[2].replace("_", ":"))

    def _device_of(self, characteristic_path: str) -> Device:
        path = characteristic_path.rpartition("/service")[0]
        for device in self._devices.values():
            if device.connection == path or (device.connection == "lost" and self._device_at(path) is device):
                return device
        raise DBusError("org.bluez.Error.Failed", "Not connected")

    def _characteristic(self, device: Device, uuid: str) -> str:
        for path, interfaces in self._objects.items():
            stated = interfaces.get("org.bluez.GattCharacteristic1")
            if stated is not None and path.startswith(str(device.connection)) and stated["UUID"].value == uuid:
                return path
        return ""

    def _add(self, path: str, interface: str, properties: Properties) -> None:
        self._objects[path] = {interface: properties}
        self.bus.emit(
            "/", "org.freedesktop.DBus.ObjectManager", "InterfacesAdded", "oa{sa{sv}}", [path, self._objects[path]]
        )

    def _remove(self, path: str) -> None:
        interfaces = list(self._objects.pop(path))
        self.bus.emit("/", "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved", "oas", [path, interfaces])

    def _set(self, path: str, interface: str, **changed: Variant) -> None:
        self._objects[path][interface].update(changed)
        self.bus.emit(
            path, "org.freedesktop.DBus.Properties", "PropertiesChanged", "sa{sv}as", [interface, changed, []]
        )


def adapter() -> Properties:
    """Of org.bluez.Adapter1, what bleak reads."""
    return {
        "Address": Variant("s", "00:00:5E:00:53:01"),
        "Powered": Variant("b", True),
        "Discovering": Variant("b", False),
        "Roles": Variant("as", ["central", "peripheral"]),
    }


def described(device: Device) -> Properties:
    """Of org.bluez.Device1."""
    uuids: Any = [device.service.uuid] if device.advertised is None else list(device.advertised)
    return {
        "Address": Variant("s", device.address),
        "Name": Variant("s", device.name),
        "Alias": Variant("s", device.name),
        "Adapter": Variant("o", ADAPTER),
        "Paired": Variant("b", False),
        "Connected": Variant("b", False),
        "ServicesResolved": Variant("b", False),
        "UUIDs": Variant("as", uuids),
    }


def characteristic(uuid: str, service: str, flags: list[str], mtu: int) -> Properties:
    """Of org.bluez.GattCharacteristic1."""
    return {
        "UUID": Variant("s", uuid),
        "Service": Variant("o", service),
        "Flags": Variant("as", flags),
        "MTU": Variant("q", mtu),
        "Notifying": Variant("b", False),
    }


def flags_of(uuid: str, characteristics: tuple[str, str]) -> list[str]:
    flags = ["write-without-response", "write"] if uuid == characteristics[0] else []
    return [*flags, "notify"] if uuid == characteristics[1] else flags
