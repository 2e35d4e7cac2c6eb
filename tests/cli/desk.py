"""A computer on which nothing is in reach but what the test brings. Helper of the tests beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from otaflash.api import scanning
from otaflash.errors import TargetError
from tests.transport.ports import present


def clear_desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No ports but those of the test, no radio, no simulators of others; the working folder is empty."""

    def no_radio(seconds: float) -> list[object]:
        raise TargetError("ble-no-system", "no Bluetooth service runs on this computer", remedy="none")

    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(scanning, "scan_boards", no_radio)
    present(monkeypatch)
