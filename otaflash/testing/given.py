"""What a test may give for a board, a link and a program, checked and told by name. Knows no board that runs."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from otaflash.errors import UsageError
from otaflash.image.build import Slot
from otaflash.image.bundle import Bundle
from otaflash.image.data import Firmware, Segment
from otaflash.image.load import load
from otaflash.image.program import bundle_for
from otaflash.sim.profile_rules import check_profile
from otaflash.sim.profiles import Profile, profile
from otaflash.sim.radio import LinkModel, Way
from otaflash.wire.messages import Version

GivenBoard = str | Path | Profile | Mapping[str, Any]
"""A name of `otaflash sim`, a .toml file, a Profile, or a mapping: the fields that differ, and `like` for the rest."""

GivenLink = Way | LinkModel
"""One Way stands for both directions."""

GivenProgram = str | Path | bytes
"""A HEX file or a bundle; bytes: a program as it lies at the base of the slot."""

DEFAULT_VERSION = "0.0.0"
_LIKE = "like"
_CHANCES = ("loss", "biterr", "dup", "reorder", "burst_loss", "outage_loss")
_FROM_ZERO = (
    *("delay_s", "jitter_s", "burst_good_s", "burst_bad_s", "outage_from_s", "outage_s"),
    *("packet_bytes", "buffer_bytes"),
)


def board_and_link(board: GivenBoard, link: GivenLink | None) -> tuple[Profile, LinkModel]:
    """What is meant, and fits together; None: a good link. Raises OtaflashError as profile_of and link_of do."""
    made, model = profile_of(board), link_of(Way() if link is None else link)
    _check(made.at_baud(round(model.down.rate)))
    return made, model


def profile_of(given: GivenBoard) -> Profile:
    """The profile that is meant. Raises TargetError (unknown-board), UsageError (bad-profile, file-unreadable)."""
    made = given if isinstance(given, Profile) else _changed(_fields_of(given))
    _check(made)
    return made


def link_of(given: GivenLink) -> LinkModel:
    """Both directions. Raises UsageError (bad-link) for a chance outside 0 to 1, a negative time, or no such line."""
    model = LinkModel(given, given) if isinstance(given, Way) else given
    for way in (model.down, model.up):
        wrong = [
            f"{name}={getattr(way, name)} is no chance from 0 to 1" for name in _CHANCES if not _is_chance(way, name)
        ]
        wrong += [f"{name}={getattr(way, name)} is below 0" for name in _FROM_ZERO if not getattr(way, name) >= 0]
        if not 300 <= way.rate <= 4_000_000:
            wrong.append(f"rate={way.rate} is not within 300 to 4,000,000 bits per second")
        if way.air_rate is not None and not way.air_rate > 0:
            wrong.append(f"air_rate={way.air_rate} is not above 0")
        if way.packet_bytes > way.buffer_bytes:
            wrong.append(f"a buffer of {way.buffer_bytes} bytes never fills a packet of {way.packet_bytes}")
        if wrong:
            raise UsageError("bad-link", "; ".join(wrong), remedy="Correct the Link: chances 0 to 1, times in seconds.")
    return model


def program_of(given: GivenProgram, base: int) -> Firmware | Bundle:
    """What is to be pushed; `base` is where bytes belong. Raises ImageError, UsageError (empty-program)."""
    if not isinstance(given, bytes):
        return load(given)
    if not given:
        raise UsageError("empty-program", "a program of no bytes", remedy="Give at least one byte.")
    return Firmware((Segment(base, given),), None)


def version_of(given: str | None, content: Firmware | Bundle) -> Version:
    """The version to push. Raises UsageError (bad-version, bundle-is-made)."""
    if given is not None and isinstance(content, Bundle):
        raise UsageError(
            "bundle-is-made", "a bundle has its version already", remedy="Leave `version` out, or give the HEX."
        )
    try:
        return Version.parse(DEFAULT_VERSION if given is None else given)
    except ValueError as error:
        raise UsageError("bad-version", str(error), remedy="Write it as 1.2.3 or 1.2.3+4.") from error


def first_span(given: GivenProgram | None, version: str | None, made: Profile) -> bytes | None:
    """The image that a board begins with; None: the simulator's own. Raises ImageError, UsageError."""
    if given is None:
        if version is not None:
            raise UsageError("version-of-nothing", "a version without an image", remedy="Give `image` too.")
        return None
    content = program_of(given, made.slot_base)
    slot = Slot(made.name, made.slot_base, made.slot_pages, made.page_bytes)
    bundle, _ = bundle_for(content, slot, version=version_of(version, content), counter=0)
    return bundle.span()


def _check(made: Profile) -> None:
    problems = check_profile(made)
    if problems:
        raise _bad_profile(f"{made.name}: {'; '.join(problems)}")


def _is_chance(way: Way, name: str) -> bool:
    return 0.0 <= float(getattr(way, name)) <= 1.0


def _fields_of(given: str | Path | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(given, Mapping):
        return given
    if isinstance(given, str) and not given.endswith(".toml"):
        return {_LIKE: given}
    try:
        return tomllib.loads(Path(given).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            "file-unreadable", f"{given}: {error.strerror}", remedy="Name a file that is there."
        ) from error
    except ValueError as error:
        raise _bad_profile(f"{given}: {error}") from error


def _changed(given: Mapping[str, Any]) -> Profile:
    changes = dict(given)
    if _LIKE not in changes:
        raise _bad_profile(f"it does not say what board it is `{_LIKE}`")
    base = profile(str(changes.pop(_LIKE)))
    known = {field.name for field in fields(Profile)}
    for name, value in changes.items():
        if name not in known:
            raise _bad_profile(f"there is no field {name!r}")
        wanted = type(getattr(base, name))
        if type(value) is not wanted:
            raise _bad_profile(f"{name} = {value!r} is no {wanted.__name__}")
    return replace(base, **changes)


def _bad_profile(text: str) -> UsageError:
    return UsageError(
        "bad-profile", text, remedy="Correct the profile; otaflash/sim/profiles.py says what each field means."
    )
