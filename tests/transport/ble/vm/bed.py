"""T3: the real bluetoothd on a real kernel in a virtual machine (tools/ble_vm), and a Bumble peripheral on this side.

The guest's HCI goes over a virtual serial port to a Bumble controller here, which shares a link with the controller of
the peripheral; the guest's D-Bus comes out at a TCP port. KVM is not used: it is not everywhere.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bumble import hci
from bumble.controller import Controller
from bumble.core import AdvertisingData
from bumble.device import Connection
from bumble.device import Device as BumbleDevice
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.host import Host
from bumble.link import LocalLink
from bumble.transport import open_transport
from bumble.transport.common import AsyncPipeSink

from otaflash.errors import OtaflashError
from otaflash.transport.ble_finding import scan_boards
from tests.transport.ble.air import Device, restarted
from tests.transport.ble.bluez.bed import PATIENCE_S, Bed, LoopThread

FOLDER = Path(__file__).resolve().parents[4] / "build" / "ble-vm"
BOOT_S = 180.0
"""Emulated on a busy machine; 15 to 25 s on an idle one."""
ADAPTER_S = 30.0
"""From the guest's last word to a powered adapter: a second or two, or never. Its kernel waits 2 s for the answer
to an HCI command, and asks once."""
TRIES = 3
LOOK_S = 0.05
_NUMBERS = itertools.count(1)


def is_installed() -> bool:
    """True where tools/ble_vm has made the machine: then a failure of it is a failure."""
    return (FOLDER / "initrd.gz").exists() and (FOLDER / "vmlinuz").exists()


def machine() -> Vm:
    """One that is up, with an adapter that is powered. On a busy machine an answer to the guest's kernel may come too
    late, which leaves that guest without an adapter: then another is started. Raises AssertionError after three."""
    for left in reversed(range(TRIES)):
        made = Vm()
        try:
            made.wait_for_adapter()
        except AssertionError:
            made.close()
            if not left:
                raise
        else:
            break
    return made


class Vm:
    """The machine, which starts when it is made. Its radio is there before its first instruction: an HCI command that
    nobody reads is lost, and is not sent again."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.console = Path(self._folder.name) / "console"
        self._hci = f"{self._folder.name}/hci"
        self._port = free_port()
        self.environment = {
            "DBUS_SYSTEM_BUS_ADDRESS": f"tcp:host=127.0.0.1,port={self._port}",
            "BLEAK_DBUS_AUTH_UID": "0",  # who we are in the guest
        }
        self.thread = LoopThread()
        self.link: Any = self.thread.call(SteadyLink)
        self._process = subprocess.Popen(self._words(), stderr=subprocess.PIPE)
        asyncio.run_coroutine_threadsafe(self._attach(), self.thread.loop).result(PATIENCE_S)

    def wait_for_adapter(self) -> None:
        """Raises AssertionError where the machine or its adapter does not come up."""
        self._wait(lambda: "GUEST-READY" in self.said(), BOOT_S)
        with patch.dict(os.environ, self.environment):
            self._wait(adapter_is_up, ADAPTER_S)

    def said(self) -> str:
        """What is on its console."""
        return self.console.read_text(errors="replace") if self.console.exists() else ""

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE_S)
        self.thread.close()
        self._folder.cleanup()

    def _words(self) -> list[str]:
        kernel = ["-kernel", str(FOLDER / "vmlinuz"), "-initrd", str(FOLDER / "initrd.gz")]
        network = f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{self._port}-10.0.2.15:7777"
        return [
            *("qemu-system-x86_64", "-M", "q35", "-accel", "tcg,thread=multi", "-smp", "2", "-cpu", "max", "-m", "384"),
            *("-nodefaults", "-display", "none", "-no-reboot", *kernel),
            *("-append", "console=ttyS0 quiet panic=-1 nokaslr mitigations=off tsc=reliable"),
            *("-chardev", f"file,id=console,path={self.console}", "-serial", "chardev:console"),
            *("-chardev", f"socket,id=hci,path={self._hci},server=on,wait=on"),
            *("-device", "virtio-serial-pci", "-device", "virtconsole,chardev=hci"),
            *("-netdev", network, "-device", "virtio-net-pci,netdev=net,romfile="),
        ]

    def _wait(self, ready: Any, seconds: float) -> None:
        ends_at = time.monotonic() + seconds
        while not ready():
            assert self._process.poll() is None, f"the machine has ended: {self._process.stderr!r}\n{self.said()}"
            assert time.monotonic() < ends_at, f"the machine does not come up:\n{self.said()}"
            time.sleep(LOOK_S)

    async def _attach(self) -> None:
        """The adapter of the guest. Without privacy and extended advertising, which Bumble's controller has in part."""
        while not Path(self._hci).exists():
            assert self._process.poll() is None, f"the machine has ended: {self._process.stderr!r}"
            await asyncio.sleep(LOOK_S)
        transport = await open_transport(f"unix:{self._hci}")
        self._adapter = Controller("guest", transport.source, transport.sink, self.link, "00:00:5E:00:53:01")
        unused = hci.LeFeatureMask.LL_PRIVACY | hci.LeFeatureMask.LE_EXTENDED_ADVERTISING
        self._adapter.le_features &= ~unused
        lengthen(self._adapter)


def adapter_is_up() -> bool:
    """Whether bluetoothd is on the bus, and its adapter powered."""
    try:
        scan_boards(0.1)
    except OtaflashError:
        return False
    return True


def lengthen(controller: Controller) -> None:
    """Packets of 251 bytes instead of 27: nine times fewer of them to handle."""
    controller.le_acl_data_packet_length = controller.acl_data_packet_length = 251
    controller.supported_max_tx_octets = controller.supported_max_rx_octets = 251
    controller.suggested_max_tx_octets = 251


class SteadyLink(LocalLink):
    """Sends under the address that a connection was made with: the guest's kernel changes its own for each scan."""

    def send_acl_data(
        self, sender_controller: Controller, destination_address: Any, transport: Any, data: bytes
    ) -> None:
        made = sender_controller.le_connections.get(destination_address)
        receiver = self.find_le_controller(destination_address)
        if made is not None and receiver is not None:
            asyncio.get_running_loop().call_soon(receiver.on_link_acl_data, made.self_address, transport, data)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class VmBed(Bed):
    """One board in reach of the guest; each restart gives it a radio with new tables."""

    def __init__(self, vm: Vm, device: Device) -> None:
        assert device.peer is not None
        number = next(_NUMBERS)
        device.address = f"C1:FF:EE:00:{number // 256:02X}:{number % 256:02X}"  # never one that the guest knows
        self.device, self.peer, self.thread, self.environment = device, device.peer, vm.thread, vm.environment
        self._link = vm.link
        self._radio: Radio | None = None
        self._watch = asyncio.run_coroutine_threadsafe(self._live(), self.thread.loop)
        self.thread.call(lambda: None)

    def lose(self) -> None:
        self.thread.call(self._lose)

    def close(self) -> None:
        self._watch.cancel()
        self.thread.call(self.peer.take_off)
        asyncio.run_coroutine_threadsafe(self._switch_off(), self.thread.loop).result(PATIENCE_S)

    def _lose(self) -> None:
        if self._radio is not None:
            self._radio.drop()

    async def _live(self) -> None:
        peer, loop = self.peer, asyncio.get_running_loop()
        peer.on_value = lambda value: self._radio.notify(value) if self._radio is not None else None
        peer.on_restart = lambda: restarted(self.device, loop, self._lose)
        peer.put_on(loop)
        life = self.device.life
        while True:
            if self._radio is not None and (not self.device.advertising or life != self.device.life):
                await self._switch_off()
            if self._radio is None and self.device.advertising:
                life = self.device.life
                self._radio = Radio(self._link, self.device)
                await self._radio.switch_on()
            await asyncio.sleep(LOOK_S)

    async def _switch_off(self) -> None:
        radio, self._radio = self._radio, None
        if radio is not None:
            await radio.switch_off()


class Radio:
    """A Bumble peripheral with the table of `device`."""

    def __init__(self, link: LocalLink, device: Device) -> None:
        self._device = device
        self._link = link
        self._controller = Controller("board", link=link)
        lengthen(self._controller)
        host = Host(self._controller, AsyncPipeSink(self._controller))
        self._bumble = BumbleDevice(name=device.name, address=hci.Address(device.address), host=host)
        self._bumble.gatt_server.max_mtu = device.mtu
        self._values: asyncio.Queue[bytes] = asyncio.Queue()
        self._to_host: Characteristic[Any] | None = None
        self._task: asyncio.Task[None] | None = None
        table = device.table or ((device.service.uuid, (device.service.to_device, device.service.to_host)),)
        for uuid, (to_device, to_host) in table:
            self._bumble.add_service(Service(uuid, self._characteristics(to_device, to_host)))

    async def switch_on(self) -> None:
        await self._bumble.power_on()
        advertised = self._device.advertised or (self._device.service.uuid,)
        data = AdvertisingData(
            [
                (AdvertisingData.FLAGS, b"\x06"),
                (AdvertisingData.COMPLETE_LOCAL_NAME, self._device.name.encode()),
                *((AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS, wire(uuid)) for uuid in advertised),
            ]
        )
        await self._bumble.start_advertising(auto_restart=True, advertising_data=bytes(data))
        self._task = asyncio.ensure_future(self._speak())

    async def switch_off(self) -> None:
        if self._task is not None:
            self._task.cancel()
        with suppress(Exception):
            await asyncio.wait_for(self._bumble.stop_advertising(), 2)
        for connection in list(self._bumble.connections.values()):
            with suppress(Exception):
                await asyncio.wait_for(connection.disconnect(), 2)
        self._link.remove_controller(self._controller)

    def drop(self) -> None:
        for connection in list(self._bumble.connections.values()):
            asyncio.ensure_future(connection.disconnect())  # noqa: RUF006  short, and what it comes to is seen by others

    def notify(self, value: bytes) -> None:
        most = self._device.mtu - 3
        for at in range(0, len(value), most):
            self._values.put_nowait(value[at : at + most])

    def _characteristics(self, to_device: str, to_host: str) -> list[Characteristic[Any]]:
        written = Characteristic.Properties.WRITE_WITHOUT_RESPONSE | Characteristic.Properties.WRITE
        self._to_host = Characteristic(to_host, Characteristic.Properties.NOTIFY, Characteristic.READABLE)
        taken: Any = CharacteristicValue(write=self._written)
        return [Characteristic(to_device, written, Characteristic.WRITEABLE, taken), self._to_host]

    def _written(self, connection: Connection, value: bytes) -> None:
        assert self._device.peer is not None
        self._device.values.append(len(value))
        self._device.peer.write(bytes(value))

    async def _speak(self) -> None:
        while True:
            value = await self._values.get()
            with suppress(Exception):  # nobody is connected
                await self._bumble.notify_subscribers(self._to_host, value)  # type: ignore[arg-type]


def wire(uuid: str) -> bytes:
    """A UUID as it stands in an advertisement."""
    return bytes.fromhex(uuid.replace("-", ""))[::-1]
