"""How many radio packets in a hundred get lost, judged from the fate of frames. Knows no message."""

from __future__ import annotations

LONG_MEMORY_PACKETS = 1000.0
SHORT_MEMORY_PACKETS = 100.0
SHORT_WEIGHT = 0.6
"""What the short memory says is noisy: only when far above the long one, after a change for the worse, it counts."""
PRIOR_PACKETS = 20.0
PRIOR_LOST = 1.0


class _Memory:
    """Lost frames over packets risked, of about the last `packets` packets."""

    def __init__(self, packets: float) -> None:
        self._memory = packets
        self._packets = PRIOR_PACKETS
        self._lost = PRIOR_LOST

    def note(self, packets: float, lost: float) -> None:
        fade = max(0.0, 1.0 - packets / self._memory)
        self._packets = self._packets * fade + packets
        self._lost = self._lost * fade + lost

    def ratio(self) -> float:
        return self._lost / self._packets


class LossEstimate:
    """Chance that one radio packet is lost, from frames of one or more packets.

    A frame of k packets gets through with (1-p)^k. With few losses the best p is close to lost frames over packets
    risked, a lost frame counting half of its packets, as the rest of it tells nothing. Old evidence fades.
    """

    def __init__(self) -> None:
        self.clean_packets = 0
        """Delivered since the last loss, or since the beginning."""
        self._risked = 0
        self._lost = 0
        self.forget()

    def forget(self) -> None:
        """What was seen so far had another cause than the link."""
        self._long = _Memory(LONG_MEMORY_PACKETS)
        self._short = _Memory(SHORT_MEMORY_PACKETS)

    def delivered(self, packets: int) -> None:
        """A frame of so many packets has arrived."""
        self.clean_packets += packets
        self._risked += packets
        self._note(float(packets), 0.0)

    def lost(self, packets: int) -> None:
        """A frame of so many packets has not arrived."""
        self.clean_packets = 0
        self._risked += packets
        self._lost += 1
        self._note((packets + 1) / 2, 1.0)

    def _note(self, packets: float, lost: float) -> None:
        self._long.note(packets, lost)
        self._short.note(packets, lost)

    def measured(self) -> float:
        """What was seen since the beginning, 0 to 1: for people. What to expect is `per_packet`, a guess included."""
        return self._lost / self._risked if self._risked else 0.0

    def per_packet(self) -> float:
        """The chance, 0 to 0.95."""
        return min(max(self._long.ratio(), SHORT_WEIGHT * self._short.ratio()), 0.95)
