"""How far a transfer has come and how fast it goes, told ten times a second at most. Knows no message."""

from __future__ import annotations

from otaflash.engine.events import Progress

EVERY_S = 0.1


class ProgressTeller:
    """Makes events of the count of blocks that are held; `image_bytes` is what they come to at the end."""

    def __init__(self, block_bytes: int, image_bytes: int, now: float) -> None:
        self._block_bytes = block_bytes
        self._image_bytes = image_bytes
        self._told_at = now
        self._held: int | None = None
        self._speed = 0.0

    def progress(self, held: int, loss: float, *, last: bool, now: float) -> Progress | None:
        """`held` blocks are there, `loss` (0..1) of the packets are lost. None: told lately, and not `last`."""
        elapsed = now - self._told_at
        if elapsed < EVERY_S and not last:
            return None
        if self._held is not None and elapsed > 0:
            speed = max(held - self._held, 0) * self._block_bytes / elapsed
            self._speed += (speed - self._speed) * min(1.0, elapsed) if self._speed else speed
        self._told_at, self._held = now, held
        done = min(held * self._block_bytes, self._image_bytes)
        eta_s = (self._image_bytes - done) / self._speed if self._speed > 0 else None
        return Progress(done, self._image_bytes, self._speed, loss, eta_s)
