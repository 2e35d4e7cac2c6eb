"""Simulated boards for the tests of a firmware team: board, link with faults, power switch. Knows no pytest.

`docs/testing.md` is the manual; `otaflash.pytest_plugin` makes fixtures of what is here.
"""

from otaflash.errors import OtaflashError
from otaflash.sim.app import Application, Behaviour
from otaflash.sim.profiles import Profile, profile
from otaflash.sim.radio import LinkModel
from otaflash.sim.radio import Way as Link
from otaflash.sim.station import Power
from otaflash.testing.board import Board, BoardInfo, MakeBoard, make_board
from otaflash.testing.serving import ServePort, served_port
from otaflash.testing.sweep import BoardLost, Cut

__all__ = [
    "Application",
    "Behaviour",
    "Board",
    "BoardInfo",
    "BoardLost",
    "Cut",
    "Link",
    "LinkModel",
    "MakeBoard",
    "OtaflashError",
    "Power",
    "Profile",
    "ServePort",
    "make_board",
    "profile",
    "served_port",
]
