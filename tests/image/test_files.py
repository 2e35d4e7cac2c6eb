"""Reading and writing files: every failure of the file system has its name, and no half-written file stays."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from otaflash.errors import ImageError, UsageError
from otaflash.image.files import FILE_BYTES_MAX, read_file, write_file

NOBODY = 65534


@contextmanager
def without_root() -> Iterator[None]:
    """Root may read everything: be somebody else for a moment, where the tests run as root."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)


@contextmanager
def file_size_limit(count: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (count, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def read_reason(path: Path | str) -> str:
    with pytest.raises(ImageError) as caught:
        read_file(path)
    return caught.value.reason


def write_reason(path: Path | str, content: bytes = b"new") -> str:
    with pytest.raises(UsageError) as caught:
        write_file(path, content)
    assert caught.value.remedy
    return caught.value.reason


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    assert read_reason(tmp_path / "none.hex") == "file-missing"
    assert read_reason("nul\0byte") == "file-missing"
    (tmp_path / "file").touch()
    assert read_reason(tmp_path / "file" / "in-it") == "file-missing"


def test_a_folder_is_refused_by_name(tmp_path: Path) -> None:
    assert read_reason(tmp_path) == "file-is-directory"
    assert write_reason(tmp_path) == "file-is-directory"


def test_a_file_that_may_not_be_read_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "secret.hex"
    path.write_text(":00000001FF")
    path.chmod(0)
    with without_root():
        assert read_reason(path) == "file-unreadable"


def test_a_file_without_end_is_refused_before_memory_is_gone() -> None:
    assert read_reason("/dev/zero") == "image-too-large"
    assert FILE_BYTES_MAX < 64 << 20


def test_writing_replaces_the_file_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "app.otab"
    for content in (b"old", b"new and longer", b""):
        write_file(path, content)
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "app.otab")
    write_file(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "app.otab").read_bytes() == b"new"


def test_a_full_disk_leaves_the_old_file_and_no_part_of_the_new(tmp_path: Path) -> None:
    path = tmp_path / "app.otab"
    path.write_bytes(b"old")
    with file_size_limit(1000):
        assert write_reason(path, bytes(100_000)) == "disk-full"
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_device_without_room_says_disk_full_and_stays_a_device() -> None:
    assert write_reason("/dev/full") == "disk-full"
    assert Path("/dev/full").is_char_device()


def test_a_missing_folder_is_refused_by_name(tmp_path: Path) -> None:
    assert write_reason(tmp_path / "none" / "app.otab") == "folder-missing"


def test_a_folder_that_may_not_be_written_to_is_refused_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    with without_root():
        assert write_reason(folder / "app.otab") == "file-unwritable"
