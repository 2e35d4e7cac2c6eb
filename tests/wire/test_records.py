"""Records and closed sets: what grows, what must not, and how the unknown is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otaflash.wire import WireError
from otaflash.wire.messages import Info, Reason, TransferState, Version

versions = st.builds(
    Version, st.integers(0, 255), st.integers(0, 255), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF_FFFF)
)


@given(versions)
def test_a_version_comes_back_from_its_text_and_from_its_bytes(version: Version) -> None:
    assert Version.parse(str(version)) == version
    assert Version.unpack(version.pack()) == version


def test_a_version_without_a_build_number_is_written_without_one() -> None:
    assert str(Version(1, 2, 3, 0)) == "1.2.3"
    assert str(Version(1, 2, 3, 4)) == "1.2.3+4"


@pytest.mark.parametrize(
    "text",
    ["", "1.2", "1.2.3.4", "v1.2.3", "1.2.3+", "1.2.3-rc1", " 1.2.3", "1.2.3\n", "256.0.0", "0.256.0", "0.0.65536",
     "0.0.0+4294967296", "-1.0.0", "١.2.3", "1.2.3+" + "9" * 5000],
)  # fmt: skip
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(WireError) as caught:
        Version.parse(text)
    assert caught.value.fault == "value"


@given(st.binary(max_size=20))
def test_an_info_record_that_has_grown_is_read_and_the_rest_ignored(more: bytes) -> None:
    data = bytes(range(Info.BYTES))
    assert Info.unpack(data + more) == Info.unpack(data)
    assert Info.unpack(data + more).pack() == data


def test_a_cut_info_record_is_refused() -> None:
    with pytest.raises(WireError) as caught:
        Info.unpack(bytes(Info.BYTES - 1))
    assert caught.value.fault == "length"


def test_values_of_a_closed_set_carry_a_sentence_and_unknown_ones_a_name() -> None:
    assert Reason(13) is Reason.TRIAL_PENDING
    assert Reason.TRIAL_PENDING.text == "an image is on trial: confirm or revert it first"
    assert Reason.name_of(13) == "trial_pending"
    assert Reason.name_of(200) == "unknown (200)"
    assert TransferState.name_of(3) == "verifying"
