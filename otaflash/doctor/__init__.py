"""What may keep a computer from reaching a board, looked for one thing at a time. Prints nothing, touches no board."""

from otaflash.doctor.checks import CHECKS, examine
from otaflash.doctor.computer import Computer, ThisComputer
from otaflash.doctor.finding import Finding, State

__all__ = ["CHECKS", "Computer", "Finding", "State", "ThisComputer", "examine"]
