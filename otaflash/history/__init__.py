"""What was pushed to which board from this computer, in a database of its own. Knows no board and no link."""

from otaflash.history.place import history_path
from otaflash.history.store import Entry, History

__all__ = ["Entry", "History", "history_path"]
