"""How large a block frame should be, for a given loss. Knows the layout of a frame's size, not its content."""

from __future__ import annotations

from dataclasses import dataclass

PACKET_BYTES = 100
"""What an XBee-like radio carries at a time; the unit of loss."""

MULTIPLES = (1, 2, 3, 4, 6, 8, 10)
BLOCK_OVERHEAD = 10
"""Header, place and CRC of a block frame, before framing."""
SHORT_RUN_FRAMES = 3
COBS_REACH = 254
DATA_PDU_BYTES = 251
"""Payload of a link-layer packet with data-length extension (Core specification, Vol 6, Part B, 2.4)."""
ATT_OVERHEAD = 7
"""L2CAP header (4), opcode and handle (3) of a Write Command."""
EXCHANGE_BYTES = 57
"""What one more link-layer packet costs beside its payload, in bytes at 1 Mbit/s: its own 10, two gaps of 150 us, and
an empty packet the other way."""
STREAM_OVERHEAD = 2
"""One COBS byte and the zero. COBS takes one more for each 254 bytes without a zero: then a block is left out."""


@dataclass(frozen=True, slots=True)
class FrameSize:
    """One choice: `blocks` a frame, which is `packets` radio packets. On a stream it is padded to `wire_bytes` (0: not
    padded); on a message link, which has no padding, that is its length."""

    blocks: int
    wire_bytes: int
    packets: int
    risk: int = 1
    """Packets that must all arrive. One more than `packets` where the frame before may have lost its end with its
    last packet, and no byte is left for a zero in front that would end it (see `channel.with_lead`)."""


class FrameSizes:
    """The sizes that a link and a device allow, and the best of them for a loss.

    The goodput of k packets is payload_k (1-p)^risk_k / (100 k): what arrives, over what the line carried.
    """

    def __init__(self, block_bytes: int, frame_bytes: int, *, stream: bool) -> None:
        self._block_bytes = block_bytes
        self.sizes = tuple(self._stream_sizes(frame_bytes)) if stream else (self._message_size(frame_bytes),)
        if not self.sizes:
            self.sizes = (FrameSize(self._fitting(frame_bytes), 0, 1),)

    def _fitting(self, frame_bytes: int) -> int:
        return max((frame_bytes - BLOCK_OVERHEAD) // self._block_bytes, 1)

    def _frame(self, blocks: int) -> int:
        return BLOCK_OVERHEAD + blocks * self._block_bytes

    def _message_size(self, frame_bytes: int) -> FrameSize:
        """One write: the length that brings the most for its time on the air of BLE, where a packet that is
        nearly empty costs as much as 57 bytes."""
        lengths = (frame_bytes, *(count * DATA_PDU_BYTES - ATT_OVERHEAD for count in (1, 2)))
        choices = [self._fitting(length) for length in lengths if length <= frame_bytes]
        blocks = max(choices, key=lambda blocks: blocks / self._air_bytes(self._frame(blocks)))
        return FrameSize(blocks, self._frame(blocks), 1)

    def _air_bytes(self, frame: int) -> int:
        packets = -(-(frame + ATT_OVERHEAD) // DATA_PDU_BYTES)
        return frame + ATT_OVERHEAD + packets * EXCHANGE_BYTES

    def _stream_sizes(self, frame_bytes: int) -> list[FrameSize]:
        sizes = []
        for multiple in MULTIPLES:
            wire = multiple * PACKET_BYTES
            blocks = (wire - BLOCK_OVERHEAD - STREAM_OVERHEAD) // self._block_bytes
            if blocks and self._frame(blocks) <= frame_bytes:
                joined = multiple > 1 and self._spare(wire, blocks) < 1
                sizes.append(FrameSize(blocks, wire, multiple, multiple + joined))
        return sizes

    def _spare(self, wire: int, blocks: int) -> int:
        """Bytes that COBS at its worst leaves free."""
        frame = self._frame(blocks)
        return wire - frame - STREAM_OVERHEAD - frame // COBS_REACH

    def best(self, loss: float, packets_most: int = MULTIPLES[-1]) -> FrameSize:
        """The size with the highest expected goodput at a packet loss of `loss` (0 to 1)."""
        kept = 1.0 - loss
        return max(self._up_to(packets_most), key=lambda size: size.blocks * kept**size.risk / size.packets)

    def _up_to(self, packets: int) -> tuple[FrameSize, ...]:
        return tuple(size for size in self.sizes if size.packets <= packets) or self.sizes[:1]

    def for_run(self, blocks: int, loss: float, packets_most: int = MULTIPLES[-1]) -> FrameSize:
        """The size to begin a run of `blocks` with: a short run shall not end in a frame that is nearly empty."""
        if blocks >= SHORT_RUN_FRAMES * self.sizes[-1].blocks:
            return self.best(loss, packets_most)
        kept = 1.0 - loss
        choice = self._up_to(packets_most)
        return self.fitting(blocks, min(choice, key=lambda size: self._packets(blocks, size) / kept**size.risk))

    def _packets(self, blocks: int, size: FrameSize) -> int:
        """How many packets the run takes in frames of that size, the last one as short as it can be."""
        full, rest = divmod(blocks, size.blocks)
        return full * size.packets + (self.fitting(rest, size).packets if rest else 0)

    def fitting(self, blocks: int, best: FrameSize) -> FrameSize:
        """The smallest size that carries `blocks`, none above `best`."""
        for size in self.sizes:
            if size.blocks >= blocks or size is best:
                return size
        return best
