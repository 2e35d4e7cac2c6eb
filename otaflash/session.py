"""Runs an engine over a link until it is done; adapts bundles for the engine. Knows no command line."""

from __future__ import annotations

import random
from collections.abc import Callable

from otaflash.engine import (
    Done,
    Engine,
    Event,
    Failed,
    LinkShape,
    NeedBundle,
    Offerable,
    Operation,
    Push,
    Request,
    Result,
)
from otaflash.errors import ExitCode, Fault, OtaflashError
from otaflash.image.bundle import Bundle
from otaflash.transport.link import Link
from otaflash.wire.messages import FLAG_SINGLE_SLOT, Info

OnEvent = Callable[[Event], None]
MakeBundle = Callable[[Info], Bundle]
READ_AGAIN_S = 1.0
"""How long to read when the engine names no deadline."""


def shape_of(link: Link) -> LinkShape:
    """What an engine must know of a link."""
    return LinkShape(
        link.rate_bytes_per_s, link.stream, link.frame_bytes, link.queue_writes, link.reconnects, link.patience_s
    )


def offerable(bundle: Bundle) -> Offerable:
    """A bundle as the engine wants it. Raises ImageError as `Bundle.span` does."""
    manifest = bundle.manifest
    return Offerable(
        offer=manifest.pack() + bundle.signature,
        span=bundle.span(),
        page_table=bundle.page_table,
        image_bytes=manifest.image_bytes,
        image_crc=manifest.image_crc,
        page_bytes=manifest.page_bytes,
        version=manifest.version,
        single_slot=bool(manifest.flags & FLAG_SINGLE_SLOT),
    )


def draw_session() -> int:
    """A session id, 1 to 65535."""
    return random.SystemRandom().randrange(1, 0x10000)


def run(engine: Engine, link: Link, on_event: OnEvent) -> Result:
    """Drives `engine` until it ends. `on_event` gets every event, and may answer NeedBundle.

    Raises the engine's error when it fails, LinkError from the link, and lets KeyboardInterrupt through: the device
    then finds its own way out, and the next push resumes. What befalls the connection under the link is told to the
    engine before the bytes that came after it.
    """
    frame_bytes, connections = link.frame_bytes, link.connections
    while True:
        now = link.now()
        due = engine.next_deadline()
        if due is None or now >= due:
            engine.wake(now)
        ended = _pump(engine, link, on_event)
        if ended is not None:
            return ended
        now = link.now()
        due = engine.next_deadline()
        # Also where the deadline has passed: a write that had to wait may have taken longer than the answer.
        data = link.read(now + READ_AGAIN_S if due is None else max(due, now))
        if link.frame_bytes != frame_bytes:
            frame_bytes = link.frame_bytes
            engine.resized(frame_bytes, link.now())
        if link.connections != connections:
            connections = link.connections
            engine.reconnected(link.now())
        if data:
            engine.receive(data, link.now())


def _pump(engine: Engine, link: Link, on_event: OnEvent) -> Result | None:
    """Passes on all that the engine has to say and to send; the result if that was its end."""
    while True:
        for frame in engine.bytes_to_send(link.now()):
            link.write(frame)
        events = engine.events()
        if not events:
            return None
        for event in events:
            on_event(event)
            if isinstance(event, Failed):
                raise event.error
            if isinstance(event, Done):
                return event.result


def push(
    link: Link,
    make_bundle: MakeBundle,
    on_event: OnEvent = lambda event: None,
    *,
    resume: bool | None = None,
    confirm: bool = True,
    force: bool = False,
    session: int | None = None,
) -> Result:
    """A whole update over `link`; `make_bundle` is called once the device is known. Raises OtaflashError."""
    engine = Push(
        shape_of(link), draw_session() if session is None else session, resume=resume, confirm=confirm, force=force
    )

    def pass_on(event: Event) -> None:
        on_event(event)
        if isinstance(event, NeedBundle):
            engine.use_bundle(offerable(make_bundle(event.info)), link.now())

    return run(engine, link, pass_on)


def request(
    link: Link, operation: Operation, on_event: OnEvent = lambda event: None, *, session: int | None = None
) -> Result:
    """One question or order to the device behind `link`. Raises OtaflashError, KeyboardInterrupt."""
    return run(Request(shape_of(link), draw_session() if session is None else session, operation), link, on_event)


def interrupted() -> OtaflashError:
    """What Ctrl-C in a push comes to."""
    return OtaflashError(
        "interrupted",
        "stopped by the user; the board keeps what it runs",
        remedy="Push again: it resumes with what the board already holds.",
        fault=Fault.USER,
        exit_code=ExitCode.INTERRUPTED,
    )
