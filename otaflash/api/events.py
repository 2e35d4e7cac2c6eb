"""What the engine tells while it works, for those who must not know the engine. Knows nothing else."""

from otaflash.engine.events import PhaseChanged, Progress, Waiting, WarningEvent

__all__ = ["PhaseChanged", "Progress", "Waiting", "WarningEvent"]
