"""The link layer of one BLE connection: events, packets, acknowledgements. Carries values; knows no host and no board.

Both directions share the air: in a connection event the central sends a packet, the peripheral answers with one, T_IFS
apart, and again while either has said in its packet that it has more (MD), while another exchange fits before the next
event, and while the event has exchanges left. What has nothing to say sends an empty packet. A packet that is not
acknowledged closes the event and goes again in the next: so on the air nothing is ever lost but time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from otaflash.sim.ble import T_IFS_S, BleModel
from otaflash.sim.clock import Clock, Timer

_NUDGE_S = 1e-9
"""Sums of microseconds in binary: what ends at the very instant of a limit is within it."""


@dataclass(slots=True)
class AirCounters:
    """What one connection did. Values are what the attribute layer hands over."""

    events: int = 0
    exchanges: int = 0
    lost_packets: int = 0
    refused_packets: int = 0
    """The peripheral had no room: sent again."""
    down_values: int = 0
    up_values: int = 0


@dataclass(slots=True)
class _Fragment:
    """One packet's share of a value. The last one of a value brings it whole."""

    payload_bytes: int
    value: bytes | None
    arrived: bool = False
    """It is there already, and only its acknowledgement got lost."""


class Air:
    """One connection, from its first event until `stop`. `lose` draws whether a packet gets lost; `has_room` is asked
    before the peripheral takes a value."""

    def __init__(
        self,
        clock: Clock,
        model: BleModel,
        *,
        on_down: Callable[[bytes], None],
        on_up: Callable[[bytes], None],
        has_room: Callable[[int], bool] = lambda count: True,
        lose: Callable[[], bool] = lambda: False,
    ) -> None:
        self.counters = AirCounters()
        self.down_left: Callable[[], None] = lambda: None
        """Called when a value of the central has been acknowledged whole."""
        self._clock = clock
        self._model = model
        self._on_down = on_down
        self._on_up = on_up
        self._has_room = has_room
        self._lose = lose
        self._down: deque[_Fragment] = deque()
        self._up: deque[_Fragment] = deque()
        self._first_anchor_s = clock.now
        self._anchor_s = clock.now
        """Of the event under way, or of the last one."""
        self._exchanges = 0
        """Of the event under way."""
        self._more = False
        self._timer: Timer | None = None
        self._idle = True
        """No event is under way or planned."""
        self.stopped = False

    def give_down(self, value: bytes) -> None:
        """The central's host hands over a value."""
        self._give(self._down, value)

    def give_up(self, value: bytes) -> None:
        """The peripheral's host hands over a value."""
        self._give(self._up, value)

    def stop(self) -> None:
        """No packet gets through any more; what waited is gone."""
        self.stopped = True
        self._down.clear()
        self._up.clear()
        if self._timer is not None:
            self._timer.cancel()

    # --- events

    def _give(self, queue: deque[_Fragment], value: bytes) -> None:
        if self.stopped:
            return
        payloads = self._model.fragments(len(value))
        queue.extend(_Fragment(payload, None) for payload in payloads[:-1])
        queue.append(_Fragment(payloads[-1], value))
        if self._idle:
            self._plan_event()

    def _plan_event(self) -> None:
        """The next event in which there is something to say; the ones before it change nothing."""
        self._idle = False
        interval = self._model.interval_s
        number = int((self._clock.now - self._first_anchor_s) / interval + _NUDGE_S) + 1
        self._anchor_s = self._first_anchor_s + number * interval
        self._timer = self._clock.at(self._anchor_s, self._begin_event)

    def _begin_event(self) -> None:
        self.counters.events += 1
        self._exchanges = 0
        self._central_sends()

    def _end_event(self) -> None:
        self._idle = True
        if self._down or self._up:
            self._plan_event()

    def _central_sends(self) -> None:
        self._exchanges += 1
        self.counters.exchanges += 1
        self._more = len(self._down) > 1
        payload = self._down[0].payload_bytes if self._down else 0
        self._timer = self._clock.at(self._clock.now + self._model.air_s(payload), self._central_sent)

    def _central_sent(self) -> None:
        if self._lost():
            self._end_event()
            return
        fragment = self._down[0] if self._down else None
        if fragment is not None and not fragment.arrived:
            if fragment.value is not None and not self._has_room(len(fragment.value)):
                self.counters.refused_packets += 1
                self._end_event()
                return
            fragment.arrived = True
            if fragment.value is not None:
                self.counters.down_values += 1
                self._on_down(fragment.value)
        if not self.stopped:
            self._timer = self._clock.at(self._clock.now + T_IFS_S, self._peripheral_sends)

    def _peripheral_sends(self) -> None:
        payload = self._up[0].payload_bytes if self._up else 0
        if not self._fits(self._model.air_s(payload)):
            payload = 0
        self._more |= len(self._up) > (payload > 0)
        call = self._peripheral_sent if payload else self._peripheral_answered
        self._timer = self._clock.at(self._clock.now + self._model.air_s(payload), call)

    def _peripheral_answered(self) -> None:
        """An empty packet."""
        if self._lost():
            self._end_event()
        else:
            self._acknowledged()

    def _peripheral_sent(self) -> None:
        if self._lost():
            self._end_event()
            return
        value = self._up.popleft().value
        if value is not None:
            self.counters.up_values += 1
            self._on_up(value)
        if not self.stopped:
            self._acknowledged()

    def _acknowledged(self) -> None:
        if self._down and self._down[0].arrived:
            value = self._down.popleft().value
            if value is not None:
                self.down_left()
        if self._more and self._exchanges != self._model.packets and self._exchange_fits():
            self._timer = self._clock.at(self._clock.now + T_IFS_S, self._central_sends)
        else:
            self._end_event()

    def _exchange_fits(self) -> bool:
        model = self._model
        down_s = model.air_s(self._down[0].payload_bytes if self._down else 0)
        up_s = model.air_s(self._up[0].payload_bytes if self._up else 0)
        return self._fits(T_IFS_S + down_s + T_IFS_S + up_s) or (
            down_s > model.air_s(0) and self._fits(T_IFS_S + down_s + T_IFS_S + model.air_s(0))
        )

    def _fits(self, span_s: float) -> bool:
        """True if what begins now and takes that long ends T_IFS before the next event, at the latest."""
        return self._clock.now + span_s + T_IFS_S <= self._anchor_s + self._model.interval_s + _NUDGE_S

    def _lost(self) -> bool:
        if not self._lose():
            return False
        self.counters.lost_packets += 1
        return True
