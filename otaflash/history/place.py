"""Where the history lies."""

from __future__ import annotations

import os
from pathlib import Path

from otaflash.errors import UsageError
from otaflash.system import state_folder

FOLDER_VARIABLE = "OTAFLASH_STATE_DIR"


def history_path() -> Path:
    """The database file; it need not exist. `OTAFLASH_STATE_DIR` names its folder, else it is the system's for such
    data (~/.local/state/otaflash on Linux). Raises UsageError for a user without a home."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder:
        return Path(folder) / "history.sqlite3"
    found = state_folder()
    if found is None:
        raise UsageError(
            "history-unusable",
            "the history has no place: this user has no home folder",
            remedy="name a folder in OTAFLASH_STATE_DIR",
        )
    return found / "history.sqlite3"
