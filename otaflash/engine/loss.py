"""How many radio packets in a hundred get lost, judged from the fate of frames. Knows no message."""

from __future__ import annotations

MEMORY_PACKETS = 300.0
PRIOR_PACKETS = 12.0
PRIOR_LOST = 0.4


class LossEstimate:
    """Chance that one radio packet is lost, from frames of one or more packets.

    A frame of k packets gets through with (1-p)^k. With few losses the best p is close to lost frames over packets
    risked, a lost frame counting half of its packets, as the rest of it tells nothing. Old evidence fades.
    """

    def __init__(self) -> None:
        self._packets = PRIOR_PACKETS
        self._lost = PRIOR_LOST
        self.frames_seen = 0

    def delivered(self, packets: int) -> None:
        self._note(float(packets), 0.0)

    def lost(self, packets: int) -> None:
        self._note((packets + 1) / 2, 1.0)

    def _note(self, packets: float, lost: float) -> None:
        fade = max(0.0, 1.0 - packets / MEMORY_PACKETS)
        self._packets = self._packets * fade + packets
        self._lost = self._lost * fade + lost
        self.frames_seen += 1

    def per_packet(self) -> float:
        """0 to 0.95."""
        return min(self._lost / self._packets, 0.95)
