"""A simulated board in real time at a port with a name, in a thread of the test's own process. For other programs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from otaflash.sim.app import NEW, Application, Applications
from otaflash.sim.serve import serve
from otaflash.sim.station import Power
from otaflash.testing.given import GivenBoard, GivenLink, GivenProgram, board_and_link, first_span

LOOK_S = 0.05


class ServePort(Protocol):
    """What the fixture `otaflash_port` is: serves a board until the test ends, and returns the name of its port."""

    def __call__(
        self,
        board: GivenBoard,
        *,
        link: GivenLink = ...,
        image: GivenProgram | None = None,
        version: str | None = None,
        application: Application | None = None,
        power: Power | None = None,
        tcp: bool = False,
    ) -> str: ...


@contextmanager
def served_port(
    board: GivenBoard,
    *,
    seed: int = 1,
    link: GivenLink | None = None,
    image: GivenProgram | None = None,
    version: str | None = None,
    application: Application | None = None,
    power: Power | None = None,
    tcp: bool = False,
) -> Iterator[str]:
    """Serves a board until the block ends; yields the path of a pseudo-terminal or, with `tcp`, ``socket://HOST:PORT``.

    `board`, `link`, `image`, `version` are those of Board. `application`: what every program but the first one does;
    `power`: a cut that comes by itself. Raises OtaflashError.
    """
    made, model = board_and_link(board, link)
    span = first_span(image, version, made)
    ready, stop = threading.Event(), threading.Event()
    names: list[str] = []
    failed: list[BaseException] = []

    def on_ready(name: str) -> None:
        names.append(name)
        ready.set()

    def run() -> None:
        try:
            serve(
                made,
                model,
                pty=not tcp,
                tcp_port=0 if tcp else None,
                on_ready=on_ready,
                stop=stop.is_set,
                seed=seed,
                applications=None if application is None else Applications(by_image={NEW: application}),
                power=power,
                image=span,
            )
        except BaseException as error:  # told where the test waits
            failed.append(error)

    thread = threading.Thread(target=run, name="otaflash-board", daemon=True)
    thread.start()
    while not ready.wait(LOOK_S) and thread.is_alive():
        pass
    try:
        if names:
            yield names[0]
    finally:
        stop.set()
        thread.join()
    if failed:
        raise failed[0]
