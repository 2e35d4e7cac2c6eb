"""Signing from the command line: keygen, sign, push --key, and what is refused, with its exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import BLINK, BLINK_OLD, Ended, otaflash, served_board


@pytest.fixture(autouse=True)
def _desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key, and a simulated board that holds its public half."""
    monkeypatch.chdir(tmp_path)
    assert otaflash("keygen", "device.key", "--signatures", "32").code == 0
    monkeypatch.setenv("OTAFLASH_PORT", "sim:atmega328p?state=board.bin&key=device.key.pub")


def left() -> int:
    (key,) = otaflash("keys", "device.key", "--json").result["keys"]
    remaining: int = key["remaining"]
    return remaining


def push(*words: str | Path) -> Ended:
    return otaflash("push", *words, "--json")


def test_a_push_signs_and_uses_one_signature_and_what_runs_already_uses_none() -> None:
    assert push(BLINK, "--version", "1.1.0", "--key", "device.key", "--dry-run").code == 0
    assert left() == 32
    assert push(BLINK, "--version", "1.1.0", "--key", "device.key").result["running_version"] == "1.1.0"
    assert push(BLINK, "--version", "1.1.0", "--key", "device.key").result["already_running"]
    assert left() == 31


def test_a_signed_bundle_is_pushed_as_it_is_also_under_a_configuration_with_a_key() -> None:
    Path("otaflash.toml").write_text('key = "device.key"\n')
    words = ("--board", "atmega328p", "--version", "1.1.0", "-o", "release.otab")
    assert otaflash("bundle", BLINK, *words).code == 0
    facts = otaflash("inspect", "release.otab", "--json").result
    assert (facts["scheme"], facts["signed_by"]) == (
        "lms",
        otaflash("inspect", "device.key", "--json").result["key_id"],
    )
    assert push("release.otab").code == 0
    assert left() == 31


def test_an_unsigned_bundle_is_signed_afterwards() -> None:
    assert otaflash("bundle", BLINK, "--board", "atmega328p", "-o", "plain.otab").code == 0
    assert otaflash("sign", "plain.otab").err.startswith("error 2 no-key:")
    assert otaflash("sign", "plain.otab", "--key", "device.key", "-o", "signed.otab").code == 0
    assert push("plain.otab").result["reason"] == "not-signed"
    assert push("signed.otab").code == 0


def test_what_is_not_signed_or_by_another_key_is_refused_with_exit_code_5() -> None:
    assert otaflash("keygen", "other.key", "--signatures", "32").code == 0
    unsigned = push(BLINK, "--version", "1.1.0")
    assert (unsigned.code, unsigned.result["reason"]) == (5, "not-signed")
    forged = push(BLINK, "--version", "1.1.0", "--key", "other.key")
    assert (forged.code, forged.result["reason"]) == (5, "bad-signature")
    public = push(BLINK, "--version", "1.1.0", "--key", "device.key.pub")
    assert (public.code, public.result["reason"]) == (2, "key-is-public")


def test_a_lower_counter_is_refused_though_it_is_signed() -> None:
    assert push(BLINK, "--version", "1.1.0", "--key", "device.key", "--counter", "5").code == 0
    lower = push(BLINK_OLD, "--version", "1.0.0", "--key", "device.key", "--counter", "4")
    assert (lower.code, lower.result["reason"]) == (5, "counter-too-low")


def test_a_signed_image_is_not_for_a_board_that_takes_unsigned_ones() -> None:
    refused = push(BLINK, "--key", "device.key", "--port", "sim:atmega328p")
    assert (refused.code, refused.result["reason"]) == (5, "unknown-scheme")
    assert left() == 32, "that was known before it was signed"


def test_a_board_that_takes_unsigned_programs_is_told_of_at_each_push() -> None:
    with served_board("atmega328p", "--pty") as port:
        for version in ("1.1.0", "1.2.0"):
            ended = push(BLINK, "--version", version, "--port", port)
            assert ended.code == 0
            assert [event["id"] for event in ended.events if event["event"] == "warning"] == ["unsigned"]
