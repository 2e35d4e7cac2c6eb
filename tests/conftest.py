"""What every test shares: nothing of the user's set-up may change a result."""

from __future__ import annotations

import hypothesis
import pytest

# A deadline for an example fails tests on a busy machine, and says nothing of the code.
hypothesis.settings.register_profile("otaflash", deadline=None)
hypothesis.settings.load_profile("otaflash")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("OTAFLASH_STATE_DIR", str(tmp_path_factory.getbasetemp() / "state"))
    for name in ("OTAFLASH_PORT", "NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
