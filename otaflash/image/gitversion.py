"""The version of a program from the git tag of the checkout that its file lies in. Knows no file format."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final

from otaflash.errors import UsageError
from otaflash.image.data import Warning
from otaflash.wire.messages import Version

GIT: Final = "git"
"""What stands in place of a version to have it taken from there."""

TIME_LIMIT_S: Final = 20.0

_DESCRIBED = re.compile(r"v?(\d+\.\d+\.\d+)-(\d+)-g[0-9a-f]+(-dirty)?")
_BY_HAND = "Tag a commit as v1.2.3, or state the version: --version 1.2.3"


def git_version(path: Path) -> tuple[str, tuple[Warning, ...]]:
    """``1.2.3``, or ``1.2.3+4`` for 4 commits after the tag v1.2.3; and a warning if there are uncommitted changes.

    `path` is the program's file: the checkout is the one that it lies in, wherever the command runs.
    Raises UsageError: git-missing, git-no-version (no checkout or no tag), git-bad-tag.
    """
    described = _describe(path)
    found = _DESCRIBED.fullmatch(described)
    if found is None:
        text = f"git calls this commit {described}, which is no version of three numbers"
        raise UsageError("git-bad-tag", text, remedy=_BY_HAND)
    version, commits, dirty = found.groups()
    stated = version if commits == "0" else f"{version}+{commits}"
    try:
        Version.parse(stated)
    except ValueError as error:
        raise UsageError("git-bad-tag", f"git calls this commit {described}: {error}", remedy=_BY_HAND) from error
    text = f"version {stated} is taken from git, where changes are not committed: it does not say what is in them"
    return stated, (Warning("git-dirty", text),) if dirty else ()


def _describe(path: Path) -> str:
    # No hook and no lock of the checkout is touched: it may be another's, or read-only.
    command = ["git", "--no-optional-locks", "-c", "core.fsmonitor=false", "describe", "--tags", "--long", "--dirty"]
    try:
        ended = subprocess.run(
            command, cwd=path.resolve().parent, capture_output=True, text=True, timeout=TIME_LIMIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        text = "git could not be run to ask it for the version"
        raise UsageError("git-missing", text, remedy="Install git, or state the version: --version 1.2.3") from error
    if ended.returncode:
        said = ended.stderr.strip().splitlines()
        why = said[0].removeprefix("fatal: ").rstrip(".") if said else "no reason given"
        text = f"git has no version for the folder of {path.name}: {why}"
        raise UsageError("git-no-version", text, remedy=_BY_HAND)
    return ended.stdout.strip()
