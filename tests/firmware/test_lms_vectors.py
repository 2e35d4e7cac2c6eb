"""scheme_lms.c, built for sets of other standards too, against the test cases of RFC 8554 and RFC 9858 and pyhsslms.

The cases are told by what they are made from (seed, identifier, C, message); pyhsslms makes the whole of them again,
and the bytes that the standards print first are compared.
"""

from __future__ import annotations

import random
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyhsslms import pyhsslms

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "firmware/core"
SECOND_LEVEL = bytes.fromhex(
    "0000000500000004215f83b7ccb9acbcd08db97b0d04dc2ba1cd035833e0e90059603f26e07ad2aad152338e7a5e5984bcd5f7bb4eba40b7"
)
"""What the first level of test case 2 of RFC 8554, appendix F, signs: the public key of the second."""


@dataclass(frozen=True)
class Set:
    """Parameters: bytes of a hash, bits of a digit, and pyhsslms's names for them."""

    n: int
    w: int
    tree: bytes
    leaf: bytes


SETS = {
    "n24 w4": Set(24, 4, pyhsslms.lms_sha256_m24_h5, pyhsslms.lmots_sha256_n24_w4),
    "n24 w8": Set(24, 8, pyhsslms.lms_sha256_m24_h5, pyhsslms.lmots_sha256_n24_w8),
    "n32 w4": Set(32, 4, pyhsslms.lms_sha256_m32_h5, pyhsslms.lmots_sha256_n32_w4),
    "n32 w8": Set(32, 8, pyhsslms.lms_sha256_m32_h5, pyhsslms.lmots_sha256_n32_w8),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lms")


def built(folder: Path, of: Set, message_bytes: int, piece_bytes: int = 7) -> Path:
    """The driver, under the sanitizers; made once for each set of arguments."""
    program = folder / f"{of.n}-{of.w}-{message_bytes}-{piece_bytes}"
    if not program.exists():
        flags = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined", "-DPORT_LMS"]
        sizes = [f"-DLMS_N={of.n}U", f"-DLMS_W={of.w}U", f"-DMESSAGE_BYTES={message_bytes}U"]
        files = [ROOT / "tests/firmware/lms/driver.c", CORE / "sha256.c", CORE / "bytes.c"]
        places = [f"-I{CORE}", f"-I{ROOT / 'firmware/ports/nrf51'}"]
        command = ["cc", *flags, *sizes, f"-DPIECE_BYTES={piece_bytes}U", *places, *map(str, files), "-o", str(program)]
        subprocess.run(command, check=True)
    return program


def takes(program: Path, public: bytes, message: bytes, signature: bytes) -> bool:
    page = (b"\x01\xff\xff\xff" + public).ljust(64, b"\xff")
    done = subprocess.run([str(program)], input=page + message + signature, check=False)
    assert done.returncode in (0, 1), done.returncode
    return done.returncode == 0


def signed(key: Any, index: int, message: bytes, c: bytes, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """The signature of one leaf, with the C that a test case states."""
    key.q = index
    with monkeypatch.context() as patch:
        patch.setattr(pyhsslms, "randBytes", lambda count: c[:count])
        signature: bytes = key.sign(message)
    return signature


def test_the_first_level_of_test_case_2_of_rfc_8554(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seed = bytes.fromhex("558b8966c48ae9cb898b423c83443aae014a72f1b1ab5cc85cf1d892903b5439")
    identifier = bytes.fromhex("d08fabd4a2091ff0a8cb4ed834e74534")
    of = SETS["n32 w4"]
    key = pyhsslms.LmsPrivateKey(lms_type=pyhsslms.lms_sha256_m32_h10, lmots_type=of.leaf, SEED=seed, I=identifier)
    public = key.publicKey().serialize()
    root = "32a58885cd9ba0431235466bff9651c6c92124404d45fa53cf161c28f1ad5a8e"
    assert public.hex() == "0000000600000003" + identifier.hex() + root
    c = bytes.fromhex("3d46bee8660f8f215d3f96408a7a64cf1c4da02b63a55f62c666ef5707a914ce")
    signature = signed(key, 3, SECOND_LEVEL, c, monkeypatch)
    printed = "0000000300000003" + c.hex() + "0674e8cb7a55f0c48d484f31f3aa4af9719a74f22cf823b94431d01c926e2a76"
    assert signature.hex().startswith(printed)
    program = built(folder, of, len(SECOND_LEVEL))
    assert takes(program, public, SECOND_LEVEL, signature)
    assert not takes(program, public, SECOND_LEVEL[:-1] + b"\0", signature)


def test_the_key_of_test_case_1_of_rfc_9858(folder: Path) -> None:
    of = SETS["n24 w8"]
    key = pyhsslms.LmsPrivateKey(
        lms_type=of.tree, lmots_type=of.leaf, SEED=bytes(range(24)), I=bytes(range(0x20, 0x30))
    )
    public = key.publicKey().serialize()
    identifier, root = "202122232425262728292a2b2c2d2e2f", "2c571450aed99cfb4f4ac285da14882796618314508b12d2"
    assert public.hex() == "0000000a00000008" + identifier + root
    assert takes(built(folder, of, 128), public, bytes(128), key.sign(bytes(128)))


@pytest.mark.parametrize("of", SETS.values(), ids=SETS)
def test_signatures_of_pyhsslms_are_taken_and_a_flipped_bit_is_not(of: Set, folder: Path) -> None:
    draws = random.Random(5)
    program = built(folder, of, 128, draws.choice([1, 13, 90, 512]))
    key = pyhsslms.LmsPrivateKey(lms_type=of.tree, lmots_type=of.leaf)
    public = key.publicKey().serialize()
    for _ in range(4):
        message = draws.randbytes(128)
        signature = key.sign(message)
        assert takes(program, public, message, signature)
        for _ in range(8):
            at = draws.randrange(len(signature))
            wrong = bytearray(signature)
            wrong[at] ^= 1 << draws.randrange(8)
            assert not takes(program, public, message, bytes(wrong)), at
