"""Flags, environment, project, user, default: which one holds, and that it is told who stated it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from otaflash.config import (
    FILE_NAME,
    KEYS,
    Config,
    ConfigFile,
    config_files,
    find_project_file,
    parse_file,
    resolve,
    user_file,
)
from otaflash.errors import UsageError


def file(path: str, text: str) -> ConfigFile:
    return parse_file(Path(path), text.encode())


NOTHING: Mapping[str, str] = {}


def resolved(
    *files: ConfigFile, flags: Mapping[str, str | int | None] = NOTHING, environment: Mapping[str, str] = NOTHING
) -> Config:
    return resolve(flags, environment, files)


PROJECT = file("/p.toml", 'port = "project"\nbaud = 1\nboard = "project"\nversion = "1"\n')
USER = file("/u.toml", 'port = "user"\nbaud = 2\nboard = "user"\nversion = "2"\ncounter = 2\n')


def test_flags_stand_above_the_environment_above_the_project_above_the_user_above_the_default() -> None:
    environment = {"OTAFLASH_PORT": "environment", "OTAFLASH_BAUD": "3"}
    found = resolved(PROJECT, USER, flags={"port": "flag", "baud": None}, environment=environment)
    assert (found.port, found.baud, found.version, found.counter, found.enter) == ("flag", 3, "1", 2, None)
    assert found.origins == {
        "board": "/p.toml:3",
        "port": "--port",
        "baud": "OTAFLASH_BAUD",
        "version": "/p.toml:4",
        "counter": "/u.toml:5",
    }


@pytest.mark.parametrize("key", KEYS.values(), ids=lambda key: key.name)
def test_every_key_has_a_variable_in_the_environment(key: object) -> None:
    assert isinstance(key, type(KEYS["port"]))
    text = "7" if key.limits else "dtr"
    found = resolved(environment={key.environment: text})
    assert getattr(found, key.name) == (7 if key.limits else "dtr")
    assert found.origins == {key.name: key.environment}


@pytest.mark.parametrize(
    "environment",
    [
        {"OTAFLASH_BAUD": "fast"},
        {"OTAFLASH_BAUD": "0"},
        {"OTAFLASH_BAUD": "\u0663"},
        {"OTAFLASH_COUNTER": "9" * 30},
        {"OTAFLASH_COUNTER": "-1"},
        {"OTAFLASH_ENTER": "dtr,rts"},
    ],
)
def test_a_variable_with_a_value_that_cannot_be_is_named(environment: dict[str, str]) -> None:
    with pytest.raises(UsageError) as caught:
        resolved(environment=environment)
    assert caught.value.reason == "environment-malformed"
    assert next(iter(environment)) in caught.value.text


def test_an_empty_variable_states_nothing() -> None:
    assert resolved(PROJECT, environment={"OTAFLASH_PORT": ""}).port == "project"


# --- boards with names --------------------------------------------------------------------------------------------

NAMED = file(
    "/p.toml",
    'port = "shed"\nbaud = 1\nboard = "any"\n[boards.lamp]\nport = "/dev/lamp"\nbaud = 2\n'
    '[boards.shed]\nport = "/dev/shed"\nenter = "dtr"\n',
)


def test_a_name_stands_for_a_port_with_all_that_its_table_states() -> None:
    found = resolved(NAMED, flags={"port": "lamp"})
    assert (found.name, found.port, found.baud, found.board) == ("lamp", "/dev/lamp", 2, "any")
    assert (found.origins["port"], found.origins["baud"]) == ("/p.toml:5", "/p.toml:6")


def test_a_file_may_name_one_of_its_boards_as_the_port() -> None:
    found = resolved(NAMED)
    assert (found.name, found.port, found.enter, found.baud) == ("shed", "/dev/shed", "dtr", 1)


def test_flags_and_environment_stand_above_the_table_of_a_board() -> None:
    found = resolved(NAMED, flags={"port": "lamp"}, environment={"OTAFLASH_BAUD": "3"})
    assert (found.port, found.baud) == ("/dev/lamp", 3)
    assert resolved(NAMED, flags={"port": "lamp", "baud": 4}).baud == 4


def test_a_board_of_the_project_hides_one_of_the_user_with_the_same_name() -> None:
    user = file("/u.toml", '[boards.lamp]\nport = "/dev/other"\n[boards.own]\nport = "/dev/own"\n')
    assert resolved(NAMED, user, flags={"port": "lamp"}).port == "/dev/lamp"
    found = resolved(NAMED, user, flags={"port": "own"})
    assert found.port == "/dev/own"
    assert found.ports == {"lamp": "/dev/lamp", "shed": "/dev/shed", "own": "/dev/own"}


def test_a_name_within_a_table_is_not_looked_up_again() -> None:
    chain = file("/p.toml", '[boards.a]\nport = "b"\n[boards.b]\nport = "a"\n')
    assert resolved(chain, flags={"port": "a"}).port == "b"


# --- where the files are ------------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose otaflash.toml lies two above the one that is worked in, below the user's home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "lamp/firmware/src").mkdir(parents=True)
    (tmp_path / "lamp" / FILE_NAME).write_text("baud = 1\n")
    return tmp_path / "lamp"


def test_the_project_s_file_is_looked_for_upwards(project: Path) -> None:
    assert find_project_file(project / "firmware/src") == project / FILE_NAME
    assert find_project_file(project) == project / FILE_NAME


def test_the_nearest_file_is_the_project_s(project: Path) -> None:
    nearer = project / "firmware" / FILE_NAME
    nearer.touch()
    assert find_project_file(project / "firmware/src") == nearer


def test_the_search_ends_at_the_repository_and_at_the_home(project: Path) -> None:
    (project / "firmware/.git").mkdir()
    assert find_project_file(project / "firmware/src") is None
    (project.parent.parent / FILE_NAME).touch()
    assert find_project_file(project.parent / "elsewhere") is None
    (project.parent.parent / FILE_NAME).unlink()


def test_a_folder_in_which_anyone_may_write_has_no_say(project: Path) -> None:
    project.chmod(0o1777)
    assert find_project_file(project / "firmware/src") is None
    assert find_project_file(project) == project / FILE_NAME


def test_the_user_s_file_is_read_below_the_project_s(project: Path) -> None:
    users = user_file()
    assert users is not None
    users.parent.mkdir(parents=True)
    users.write_text('baud = 2\nport = "mine"\n')
    found = resolved(*config_files(project / "firmware"))
    assert (found.baud, found.port) == (1, "mine")
    assert found.files == (project / FILE_NAME, users)


def test_a_user_without_a_home_has_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def homeless(*names: object, **options: object) -> str:
        raise RuntimeError("could not determine the home directory")

    monkeypatch.setattr("platformdirs.user_config_dir", homeless)
    monkeypatch.setattr(Path, "home", homeless)
    assert user_file() is None
    assert config_files(tmp_path) == []
