"""What is made once for all tests of emulated chips."""

from __future__ import annotations

from pathlib import Path

import pytest

from otaflash.keys.secret import SecretKey, generate, open_secret
from tests.emulated import arduino


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> SecretKey:
    """One of 1,024 signatures, as keygen makes it."""
    path: Path = tmp_path_factory.mktemp("keys") / "device.key"
    generate(path)
    return open_secret(path)


@pytest.fixture(scope="session")
def arduino_core(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The objects of the Arduino core."""
    return arduino.core(tmp_path_factory.mktemp("core"))
