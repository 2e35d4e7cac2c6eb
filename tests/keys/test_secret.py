"""Keys: what is in their files, that no signature is given twice, and what is refused by name."""

from __future__ import annotations

import json
import os
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pyhsslms import pyhsslms

from otaflash.errors import UsageError
from otaflash.keys import lms, secret
from otaflash.keys.ledger import ledger_of
from otaflash.keys.public import PublicKey, read_public
from otaflash.keys.secret import generate, key_state, open_secret, skip_to

MESSAGE = bytes(range(128))


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "device.key"
    generate(path, signatures=32)
    return path


def number_of(signature: bytes) -> int:
    return int.from_bytes(signature[:4], "big")


def sign(path: Path, passphrase: str | None = None) -> bytes:
    return open_secret(path, passphrase).sign(MESSAGE, "a test")


def reason(path: Path, passphrase: str | None = None) -> str:
    with pytest.raises(UsageError) as caught:
        sign(path, passphrase)
    return caught.value.reason


def test_a_signature_is_one_that_pyhsslms_verifies(key: Path) -> None:
    public = pyhsslms.LmsPublicKey.deserialize(read_public(key).data)
    first, second = sign(key), sign(key)
    assert public.verify(MESSAGE, first)
    assert public.verify(MESSAGE, second)
    assert not public.verify(MESSAGE[:-1], first)
    assert len(first) == open_secret(key).signature_bytes == 1380


def test_the_path_of_every_leaf_is_the_one_that_pyhsslms_has() -> None:
    theirs = pyhsslms.LmsPrivateKey(lms_type=pyhsslms.lms_sha256_m24_h5, lmots_type=pyhsslms.lmots_sha256_n24_w4)
    tree = lms.Tree(theirs.publicKey().serialize(), theirs.SEED, tuple(leaf.K for leaf in theirs.ots_pub))
    for index in range(32):
        assert lms.sign(tree, index, MESSAGE)[-5 * 24 :] == theirs.sign(MESSAGE)[-5 * 24 :]


def test_each_signature_has_a_number_of_its_own_and_the_last_one_is_the_last(key: Path) -> None:
    assert [number_of(sign(key)) for _ in range(32)] == list(range(32))
    assert key_state(key).remaining == 0
    assert reason(key) == "key-exhausted"


def test_processes_that_sign_at_once_get_different_numbers(key: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        numbers = [number_of(each) for each in pool.map(lambda _: sign(key), range(12))]
    assert sorted(numbers) == list(range(12))


def test_the_count_is_on_the_disk_before_the_signature_is_made(key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process dies as it signs: that signature is lost, and none comes twice."""

    def dies(*_: object) -> bytes:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(secret.lms, "sign", dies)
        with pytest.raises(KeyboardInterrupt):
            sign(key)
    assert key_state(key).remaining == 31
    assert number_of(sign(key)) == 1


def test_a_process_that_dies_between_key_and_ledger_loses_a_signature_and_no_more(
    key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(secret.ledger, "note", dies)
        with pytest.raises(KeyboardInterrupt):
            sign(key)
    assert number_of(sign(key)) == 1


def test_a_key_brought_back_from_an_older_copy_is_refused_and_skipping_goes_on_behind(key: Path) -> None:
    shutil.copy2(key, key.with_name("copy"))
    used = [number_of(sign(key)) for _ in range(3)]
    shutil.copy2(key.with_name("copy"), key)
    assert reason(key) == "key-restored"
    assert skip_to(key, 3).remaining == 29
    assert number_of(sign(key)) not in used


def test_signatures_are_skipped_forwards_only(key: Path) -> None:
    for _ in range(5):
        sign(key)
    for number in (0, 4, 33):
        with pytest.raises(UsageError, match="5 may have been used"):
            skip_to(key, number)
    assert skip_to(key, 5).remaining == 27


def test_a_key_without_its_ledger_is_refused_until_its_signatures_are_skipped(key: Path) -> None:
    sign(key)
    ledger_of(key).unlink()
    assert reason(key) == "ledger-missing"
    skip_to(key, 20)
    assert number_of(sign(key)) == 20


@pytest.mark.parametrize("content", ["", "{}", "x", '{"key": "00000000", "next": 5}', '{"key": 5}', "[]", "null"])
def test_a_ledger_that_is_damaged_or_another_key_s_is_refused(key: Path, content: str) -> None:
    ledger_of(key).write_text(content + "\n" if content else "\n")
    assert reason(key) == "ledger-malformed"


def test_secret_keys_are_for_their_owner_alone(key: Path) -> None:
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    sign(key)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.chmod(0o640)
    assert reason(key) == "key-open-to-others"


def test_a_passphrase_seals_the_secret_and_a_wrong_one_does_not_open_it(tmp_path: Path) -> None:
    path = tmp_path / "sealed.key"
    generate(path, signatures=32, passphrase="correct horse")
    assert number_of(sign(path, "correct horse")) == 0
    assert number_of(sign(path, "correct horse")) == 1
    assert reason(path, "battery staple") == "passphrase-wrong"
    assert reason(path) == "passphrase-missing"
    assert key_state(path).is_sealed


def test_nothing_shows_the_secret(key: Path) -> None:
    held = json.loads(key.read_text())["secret"]
    opened = open_secret(key)
    tree = lms.generate(5)
    shown = [repr(key_state(key)), repr(opened), repr(tree), ledger_of(key).read_text(), read_public(key).text()]
    assert not [text for text in shown if held in text or tree.seed.hex() in text or repr(tree.seed) in text]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("next", -1), ("next", True), ("next", "0"), ("leaves", "AAAA"), ("leaves", 5)),
        *(("secret", "00" * 24), ("secret", 5), ("public", "00"), ("scheme", "rsa"), ("otaflash_secret_key", 2)),
    ],
)
def test_a_key_file_that_was_changed_is_refused(key: Path, field: str, value: object) -> None:
    fields = json.loads(key.read_text())
    key.write_text(json.dumps({**fields, field: value}))
    assert reason(key) == "key-malformed"


@pytest.mark.parametrize("content", [b"", b"{", b"otaflash-public-key", b"\xff\xfe", b"[" * 3000, b"{" * 3000])
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "no.key"
    path.write_bytes(content)
    assert reason(path) == "key-malformed"


def test_a_public_key_cannot_sign_and_is_the_same_as_in_the_secret_one(key: Path) -> None:
    public = key.with_name("device.key.pub")
    assert reason(public) == "key-is-public"
    assert read_public(public) == read_public(key)
    assert PublicKey.of_page(read_public(key).page()) == read_public(key)


def test_no_key_is_made_over_another(key: Path) -> None:
    before = key.read_bytes()
    for name in ("device.key", "other.key"):
        ledger_of(key.with_name("other.key")).write_text("")
        with pytest.raises(UsageError, match="exists"):
            generate(key.with_name(name), signatures=32)
    assert key.read_bytes() == before
    assert not key.with_name("other.key").exists()


def test_a_folder_that_cannot_be_written_costs_no_signature(key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert reason(key) == "key-unwritable"
    assert number_of(sign(key)) == 0
    assert sorted(path.name for path in key.parent.iterdir()) == ["device.key", "device.key.ledger", "device.key.pub"]
