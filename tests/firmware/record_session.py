"""Records tests/firmware/sanitizer/session.txt, which the driver replays: python -m tests.firmware.record_session.
Needed again only when the wire changes; the steps name no time and no flash operation."""

from __future__ import annotations

import zlib
from pathlib import Path

from otaflash.sim.native import BoardEvent
from otaflash.wire import frames
from otaflash.wire import messages as m
from tests.firmware.bench import SMALL, Bench, Image, make_image

SESSION = Path(__file__).parent / "sanitizer" / "session.txt"
UID = b"ABCDEFG\0"


class Recorder(Bench):
    """A bench that writes down what it does to its board."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        super().__init__(SMALL, uid=UID)

    def power_on(self, weak: int = 0) -> None:
        self.steps.append("on")
        super().power_on(weak)

    def reset(self) -> None:
        self.steps.append("reset")
        super().reset()

    def run(self, seconds: float) -> BoardEvent:
        event = super().run(seconds)
        self.steps += [f"pass_us {round(seconds * 1e6)}", f"event {int(event)}"]
        return event

    def send(self, data: bytes, wait: float = 5.0) -> list[frames.Frame]:
        heard = super().send(data, wait)
        self.steps += [f"say {data.hex()}", f"event {int(self.event)}"]
        return heard

    def start_app(self) -> None:
        self.steps.append("app")
        super().start_app()

    def work(self, seconds: float = 5.0) -> BoardEvent:
        return self.run(0.2)

    def expect(self, image: Image) -> None:
        assert self.runs(image)
        self.steps.append(f"span_bytes {len(image.span)} 0x{zlib.crc32(image.span):08x}")


def record() -> list[str]:
    first, second, wide = make_image(1, 5), make_image(2, 6), make_image(3, 13, single=True)
    bench = Recorder()
    bench.info(20)
    bench.update(first)
    bench.expect(first)
    bench.confirm(first)
    bench.enter_from_app()
    bench.session += 1
    bench.accept(second)
    bench.say(m.Block(3, bytes(40)))
    bench.give(second, [(place, 1) for place in range(3)] + [(8, 8)], step=1)
    bench.give(second, [(place, 16) for place in range(16, second.places, 16)])
    bench.survey(second)
    bench.give(second, [(0, 16)])
    bench.apply()
    bench.start_app()
    bench.expect(second)
    for _ in range(2):
        bench.reset()
        bench.boot()
        bench.start_app()
    bench.reset()
    bench.boot()
    bench.expect(first)
    bench.power_on()
    bench.enter()
    bench.session += 1
    bench.stage(wide)
    bench.apply()
    bench.expect(wide)
    return bench.steps


if __name__ == "__main__":
    SESSION.write_text("\n".join(record()) + "\n", encoding="ascii")
