"""What every test shares: nothing of the user's set-up may change a result."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

# A deadline for an example fails tests on a busy machine, and says nothing of the code.
hypothesis.settings.register_profile("otaflash", deadline=None)
hypothesis.settings.load_profile("otaflash")


@pytest.fixture(scope="session")
def _nobodys_folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nobody")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, _nobodys_folders: Path) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", *(name for name in os.environ if name.startswith("OTAFLASH_"))):
        monkeypatch.delenv(name, raising=False)
    for name in ("XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(_nobodys_folders))
    monkeypatch.setenv("OTAFLASH_STATE_DIR", str(_nobodys_folders / "state"))
