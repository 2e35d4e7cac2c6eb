"""tools/ccheck: the core under the sanitizers as part of the tests, and that what it runs can fail."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.firmware.record_session import SESSION, record

ROOT = Path(__file__).resolve().parents[2]


def ccheck(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Without the sanitizer that this very run may stand under: the compiler is not ours to check."""
    environment = {key: value for key, value in os.environ.items() if key not in ("LD_PRELOAD", "ASAN_OPTIONS")}
    command = [str(ROOT / "tools" / "ccheck"), *arguments]
    return subprocess.run(
        command, env=environment | settings, capture_output=True, text=True, timeout=120, check=False, cwd=ROOT
    )


def test_the_core_goes_through_session_and_garbage_under_the_sanitizers() -> None:
    done = ccheck("sanitize", CCHECK_ROUNDS="50000", CCHECK_SEED="7")
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stdout + done.stderr


def test_the_recorded_session_is_what_the_recorder_records() -> None:
    assert SESSION.read_text(encoding="ascii").splitlines() == record()


def test_the_session_looks_at_the_running_image_four_times() -> None:
    assert sum(line.startswith("span_bytes") for line in record()) == 4


def test_an_unknown_check_is_a_usage_error() -> None:
    done = ccheck("everything")
    assert done.returncode == 2
    assert "tools/ccheck" in done.stderr
