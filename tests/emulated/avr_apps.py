"""The example programs of firmware/app for the ATmega328P, and a board that notes when it says what."""

from __future__ import annotations

import subprocess
from pathlib import Path

from otaflash.image.build import Image, build_image
from otaflash.image.hexfile import read_hex
from otaflash.wire.messages import Version
from tests.emulated.avr import ROOT, AvrBoard
from tests.emulated.avr_host import SLOT

APPS = ROOT / "firmware" / "app"


def example(folder: Path, name: str, version: int = 1) -> Image:
    """firmware/app/avr/`name`.c as version `version`.0.0."""
    made = folder / f"{name}-{version}.hex"
    subprocess.run([ROOT / "tools" / "build_apps", "--example", name, f"{version}.0.0", made], check=True)
    return image_of(made, version)


def image_of(program: Path, version: int) -> Image:
    """A HEX file as it is offered."""
    return build_image(read_hex(program), SLOT, version=Version(version, 0, 0, 0), counter=version)


class Listened(AvrBoard):
    """A board that notes when it said what."""

    def __init__(self, image: Image, *, seed: int = 1) -> None:
        self.heard: list[tuple[int, bytes]] = []
        super().__init__(seed=seed)
        self.off()
        self.flash[: len(image.span)] = image.span
        self.on()

    def recv(self) -> bytes:
        """What it said since, as any board."""
        said = super().recv()
        if said:
            self.heard.append((self.micros, said))
        return said

    def lines(self, text: bytes, since_us: int = 0) -> int:
        """How often it has said `text` since that time."""
        return b"".join(said for at, said in self.heard if at >= since_us).count(text)

    def pass_ms(self, millis: int) -> None:
        """Lets it run and listens."""
        for _ in range(millis):
            self.run(1000)
            self.recv()
