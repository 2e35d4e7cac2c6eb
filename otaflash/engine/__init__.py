"""What to send and when: sans-IO engines for one request and for a whole update. Knows no link and no clock."""

from otaflash.engine.channel import LinkShape
from otaflash.engine.events import (
    Done,
    Engine,
    Event,
    Failed,
    NeedBundle,
    PhaseChanged,
    Progress,
    Result,
    Waiting,
    WarningEvent,
)
from otaflash.engine.offerable import Offerable
from otaflash.engine.push import Push
from otaflash.engine.request import Operation, Request

__all__ = [
    "Done",
    "Engine",
    "Event",
    "Failed",
    "LinkShape",
    "NeedBundle",
    "Offerable",
    "Operation",
    "PhaseChanged",
    "Progress",
    "Push",
    "Request",
    "Result",
    "Waiting",
    "WarningEvent",
]
