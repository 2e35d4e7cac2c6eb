"""A private system bus with one service on it: what dbus-daemon would do between clients and it, and no more.

Clients come by a UNIX socket (``DBUS_SYSTEM_BUS_ADDRESS``), say who they are, and call. All objects are of the one
service; its signals go to every client, whatever it has subscribed to.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.transport.ble.bluez.wire import CALL, ERROR, NO_REPLY, RETURN, SIGNAL, Message, pack, unpack

BUS = "org.freedesktop.DBus"
GUID = "0123456789abcdef0123456789abcdef"


class DBusError(Exception):
    """The answer to a call that cannot be done."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name
        self.text = text


Reply = tuple[str, list[Any]]
"""Signature and values."""
Handler = Callable[[Message], Coroutine[Any, Any, Reply]]


class Bus:
    """The bus and its service `name`, whose calls `handler` answers. Without a name nobody is there."""

    def __init__(self, name: str, handler: Handler) -> None:
        self.name: str | None = name
        self.refuses = False
        """Turns clients away before they have said who they are, as a policy does."""
        self.mute = False
        """Takes clients, and then says nothing at all."""
        self._handler = handler
        self._clients: list[Client] = []
        self._numbers = itertools.count(1)
        self._server: asyncio.Server | None = None

    async def serve(self, path: Path) -> None:
        self._server = await asyncio.start_unix_server(self._on_client, path)

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for client in self._clients.copy():
            client.close()

    def emit(self, path: str, interface: str, member: str, signature: str, body: list[Any]) -> None:
        for client in self._clients:
            client.send(
                Message(SIGNAL, 0, 0, signature, body, path, interface, member, sender=self.name or ""),
            )

    async def _on_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = Client(self, reader, writer, f":1.{next(self._numbers)}")
        self._clients.append(client)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await client.run()
        finally:
            self._clients.remove(client)
            client.close()

    async def answer(self, call: Message) -> Reply:
        if call.destination == BUS:
            return self._of_the_bus(call)
        if call.destination != self.name:
            raise DBusError(f"{BUS}.Error.ServiceUnknown", f"{call.destination} was not provided by any .service files")
        return await self._handler(call)

    def _of_the_bus(self, call: Message) -> Reply:
        match call.member:
            case "AddMatch" | "RemoveMatch":
                return "", []
            case "GetNameOwner" if self.name is not None:
                return "s", [":1.0"]
            case "NameHasOwner":
                return "b", [self.name is not None]
        raise DBusError(f"{BUS}.Error.UnknownMethod", call.member)


class Client:
    """One connection to the bus."""

    def __init__(self, bus: Bus, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str) -> None:
        self._bus = bus
        self._reader = reader
        self._writer = writer
        self._name = name
        self._serials = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        await self._greet()
        buffer = bytearray()
        while data := await self._reader.read(65536):
            buffer += data
            while (found := unpack(buffer)) is not None:
                message, length = found
                del buffer[:length]
                task = asyncio.ensure_future(self._answer(message))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    def send(self, message: Message) -> None:
        message.serial = next(self._serials)
        if not self._writer.is_closing():
            self._writer.write(pack(message))

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._writer.close()

    async def _greet(self) -> None:
        """The client proves by the socket who it is; whether descriptors may be passed is asked by some."""
        await self._reader.readexactly(1)
        while True:
            line = (await self._reader.readuntil(b"\r\n")).strip()
            if line == b"BEGIN":
                return
            answers = {b"AUTH": f"OK {GUID}", b"NEGOTIATE_UNIX_FD": "AGREE_UNIX_FD"}
            said = "REJECTED EXTERNAL" if self._bus.refuses else answers.get(line.split(b" ")[0], "ERROR")
            self._writer.write(said.encode() + b"\r\n")

    async def _answer(self, call: Message) -> None:
        if call.kind != CALL or self._bus.mute:
            return
        try:
            signature, body = ("s", [self._name]) if call.member == "Hello" else await self._bus.answer(call)
            reply = Message(RETURN, signature=signature, body=body)
        except DBusError as error:
            reply = Message(ERROR, signature="s", body=[error.text], error=error.name)
        reply.reply_to, reply.destination, reply.sender = call.serial, self._name, call.destination
        if not call.flags & NO_REPLY:
            self.send(reply)
