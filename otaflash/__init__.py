"""otaflash: flash any microcontroller over the air, and never leave it with nothing.

For Python programs: `connect` and `connect_sync` (otaflash.api has an example). What is named here is imported when it
is used first, so that `import otaflash` costs nothing.
"""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False  # type checkers take it for true by its name; importing typing would cost more than all the rest
if TYPE_CHECKING:
    from otaflash.api.aio import Board, connect
    from otaflash.api.events import PhaseChanged, Progress, Waiting, WarningEvent
    from otaflash.api.facts import BoardInfo, ImageReady, PushEvent, PushPlan, PushResult
    from otaflash.api.program import Program, Wanted
    from otaflash.api.scanning import Found, Scan, scan
    from otaflash.api.sync import SyncBoard, connect_sync
    from otaflash.errors import ExitCode, Fault, ImageError, LinkError, OtaflashError, TargetError, UsageError

_HOMES = {
    "otaflash.api.aio": ("Board", "connect"),
    "otaflash.api.facts": ("BoardInfo", "ImageReady", "PushEvent", "PushPlan", "PushResult"),
    "otaflash.api.scanning": ("Found", "Scan", "scan"),
    "otaflash.api.program": ("Program", "Wanted"),
    "otaflash.api.sync": ("SyncBoard", "connect_sync"),
    "otaflash.api.events": ("PhaseChanged", "Progress", "Waiting", "WarningEvent"),
    "otaflash.errors": ("ExitCode", "Fault", "ImageError", "LinkError", "OtaflashError", "TargetError", "UsageError"),
}

__all__ = [
    "Board",
    "BoardInfo",
    "ExitCode",
    "Fault",
    "Found",
    "ImageError",
    "ImageReady",
    "LinkError",
    "OtaflashError",
    "PhaseChanged",
    "Program",
    "Progress",
    "PushEvent",
    "PushPlan",
    "PushResult",
    "Scan",
    "SyncBoard",
    "TargetError",
    "UsageError",
    "Waiting",
    "Wanted",
    "WarningEvent",
    "__version__",
    "connect",
    "connect_sync",
    "scan",
]


def __getattr__(name: str) -> object:
    from importlib import import_module  # noqa: PLC0415

    for module, names in _HOMES.items():
        if name in names:
            found: object = getattr(import_module(module), name)
            globals()[name] = found
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
