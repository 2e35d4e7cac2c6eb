"""What a UART makes of a line that was driven at another rate than its own. Knows no chip and no message."""

from __future__ import annotations

LOOKS_A_BIT = 16
"""How finely the beginning of a start bit is found."""


def received(data: bytes, *, host_baud: float, chip_baud: float) -> bytes:
    """The bytes that a receiver of `chip_baud` takes up (8N1, each bit looked at in its middle) while `data` comes
    without a pause at `host_baud`. One whose stop bit is low, a framing error, is delivered as chips do; and a new
    start bit is looked for only after the line was high again: a line held low (a break) is one zero byte."""
    levels = [level for byte in data for level in (0, *(byte >> bit & 1 for bit in range(8)), 1)]
    bit_time = chip_baud / host_baud
    end = len(levels) * bit_time

    def level(at: float) -> int:
        return levels[int(at / bit_time)] if at < end else 1

    taken = bytearray()
    now = 0.0
    while now < end:
        if level(now) or level(now + 0.5):
            now += 1 / LOOKS_A_BIT
            continue
        taken.append(sum(level(now + 1.5 + bit) << bit for bit in range(8)))
        now += 9.5
        while not level(now):
            now += 1 / LOOKS_A_BIT
    return bytes(taken)
