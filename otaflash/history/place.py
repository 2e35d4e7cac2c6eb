"""Where the history lies. The one file that knows platformdirs."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER_VARIABLE = "OTAFLASH_STATE_DIR"


def history_path() -> Path:
    """The database file; it need not exist. `OTAFLASH_STATE_DIR` names its folder, else it is the system's for such
    data (~/.local/state/otaflash on Linux)."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder:
        return Path(folder) / "history.sqlite3"
    from platformdirs import user_state_path  # noqa: PLC0415  only where nothing is stated

    return user_state_path("otaflash", appauthor=False) / "history.sqlite3"
