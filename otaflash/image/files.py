"""Reading a whole file and writing one atomically, with named errors. Knows nothing of what is in the file."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path

from otaflash.errors import ImageError, UsageError
from otaflash.system import replace_file, sync_folder

FILE_BYTES_MAX = 48 << 20
"""The largest file read: an ELF carries what debuggers want along, many times what goes to flash."""

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def read_file(path: Path | str) -> bytes:
    """All bytes of a file of up to FILE_BYTES_MAX.

    Raises ImageError: file-missing, file-is-directory, file-unreadable, image-too-large.
    """
    try:
        with open(path, "rb") as file:
            content = file.read(FILE_BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if len(content) > FILE_BYTES_MAX:
        text = f"{path} is larger than {FILE_BYTES_MAX >> 20} MiB, more than the program of any board"
        raise ImageError("image-too-large", text, remedy="Give the HEX or bundle of the program alone.")
    return content


def write_file(path: Path | str, content: bytes) -> None:
    """Writes a file whole or not at all: into a neighbour first, to the disk, then renamed over `path`.

    What exists and is no regular file (a pipe, /dev/stdout) is written to directly, since a rename would replace it.
    Raises UsageError: disk-full, file-unwritable, file-is-directory, folder-missing.
    """
    try:
        target = Path(os.path.realpath(path))
        if target.exists() and not stat.S_ISREG(target.stat().st_mode):
            target.write_bytes(content)
        else:
            replace_file(target, content)
            with contextlib.suppress(OSError):  # not every system lets a folder be synced
                sync_folder(target.parent)
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from error


def _unreadable(path: Path | str, error: Exception) -> ImageError:
    if isinstance(error, FileNotFoundError | NotADirectoryError | ValueError):
        return ImageError("file-missing", f"{path} does not exist", remedy="Check the path.")
    if isinstance(error, IsADirectoryError):
        return ImageError("file-is-directory", f"{path} is a folder", remedy="Give the HEX or bundle file in it.")
    if isinstance(error, PermissionError):
        return ImageError("file-unreadable", f"{path} may not be read by this user", remedy="Change its permissions.")
    return ImageError("file-unreadable", f"{path} cannot be read: {_cause(error)}", remedy="Check the disk it lies on.")


def _unwritable(path: Path | str, error: Exception) -> UsageError:
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        text = f"{path} was not written: the disk is full or a size limit is reached"
        return UsageError("disk-full", text, remedy="Free some space, or write to another disk.")
    if isinstance(error, IsADirectoryError):
        return UsageError("file-is-directory", f"{path} is a folder", remedy="Give the name of a file in it.")
    if isinstance(error, FileNotFoundError | NotADirectoryError | ValueError):
        return UsageError("folder-missing", f"the folder of {path} does not exist", remedy="Make it first.")
    return UsageError("file-unwritable", f"{path} cannot be written: {_cause(error)}", remedy="Choose another place.")


def _cause(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
