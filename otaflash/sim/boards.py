"""Native boards made ready for a world: image in the slot, line rate, state file. Knows no engine."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from otaflash.errors import UsageError
from otaflash.keys.public import read_public
from otaflash.sim.app import Applications, RunningImage
from otaflash.sim.ble import BleModel
from otaflash.sim.factory import factory_program, image_in, make_span
from otaflash.sim.native import NativeBoard
from otaflash.sim.profiles import Profile
from otaflash.sim.profiles import profile as profile_named
from otaflash.sim.radio import LinkModel
from otaflash.sim.station import Power
from otaflash.sim.url import SimTarget
from otaflash.sim.world import Port, World
from otaflash.wire import encode, on_stream
from otaflash.wire.messages import Enter

_STATE_FORMAT = 1


def add_board(
    world: World,
    profile: Profile,
    model: LinkModel | BleModel,
    *,
    name: str = "",
    applications: Applications | None = None,
    power: Power | None = None,
    image: Path | bytes | None = None,
    state: Path | None = None,
    key: bytes = b"",
) -> tuple[Port, NativeBoard]:
    """A board with a whole image in its primary slot, switched on now in `world`, behind `model`.

    The file `image` is the program in the slot; bytes are a whole span, its trailer included (default: a small factory
    program, version 0.0.1). `key` is its key page: it then takes only what that key signed. Where the file `state`
    exists, the flash and the unique id come from it instead, and the key where none is given. Raises UsageError for a
    file that cannot be read or does not fit, ValueError for a line rate below 300 or above 4,000,000 bits per second.
    """
    name = name or f"board{len(world.stations)}"
    profile = profile.at_baud(model.baud)
    seed = world.stream(f"{name}/board").getrandbits(64)
    board = (
        _loaded(profile, seed, state, key) if state is not None and state.exists() else _new(profile, seed, image, key)
    )
    return put_board(world, board, model, name=name, applications=applications, power=power), board


def put_board(
    world: World,
    board: NativeBoard,
    model: LinkModel | BleModel,
    *,
    name: str = "",
    applications: Applications | None = None,
    power: Power | None = None,
) -> Port:
    """Switches `board` on now in `world`, with the flash that it has; the rate of `model` is that of its profile."""
    return world.add(
        board,
        model,
        name=name,
        applications=applications,
        power=power,
        image_of=lambda: running_image(board),
        enter_frame=on_stream(encode(Enter(board.uid), 1, 0)),
    )


def add_target(world: World, target: SimTarget) -> tuple[Port, NativeBoard]:
    """The board that a `sim:` URL asks for. Raises UsageError, and TargetError for an unknown profile."""
    return add_board(
        world,
        profile_named(target.board),
        target.model,
        applications=target.applications,
        power=target.power,
        image=target.image,
        state=target.state,
        key=key_page(target.key),
    )


def key_page(path: Path | None) -> bytes:
    """What a programmer writes into the key page for the key in a file; None: nothing. Raises UsageError."""
    return b"" if path is None else read_public(path).page()


def running_image(board: NativeBoard) -> RunningImage | None:
    """The image in the primary slot, by its trailer; None: none is whole."""
    profile = board.profile
    slot = board.flash[: profile.slot_pages * profile.page_bytes]
    return image_in(slot, page_bytes=profile.page_bytes, slot_pages=profile.slot_pages)


def save_state(board: NativeBoard, path: Path) -> None:
    """Writes what outlives the power to `path`, whole or not at all. Raises UsageError if that fails."""
    head = json.dumps({"v": _STATE_FORMAT, "board": board.profile.name, "uid": board.uid.hex(), "key": board.key.hex()})
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        beside.write_bytes(head.encode() + b"\n" + board.save())
        os.replace(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise UsageError(
            "state-unwritable", f"{path}: {error.strerror}", remedy="Name a state file in a folder that can be written."
        ) from error


def _new(profile: Profile, seed: int, image: Path | bytes | None, key: bytes) -> NativeBoard:
    board = NativeBoard(profile, seed, key=key)
    span = image if isinstance(image, bytes) else _span(profile, image)
    board.flash[: len(span)] = span
    return board


def _span(profile: Profile, image: Path | None) -> bytes:
    spare = profile.page_bytes * profile.slot_pages - 32
    try:
        return make_span(
            factory_program(min(300, spare)) if image is None else _read(image),
            board=profile.name.encode(),
            page_bytes=profile.page_bytes,
            slot_pages=profile.slot_pages,
        )
    except ValueError as error:
        raise UsageError("sim-image-too-large", str(error), remedy="Give an image that fits the slot.") from error


def _loaded(profile: Profile, seed: int, path: Path, key: bytes) -> NativeBoard:
    head, _, state = _read(path).partition(b"\n")
    try:
        said = _head_of_state(head)
        if (said["v"], said["board"]) != (_STATE_FORMAT, profile.name):
            raise ValueError(f"made for {said['board']}, format {said['v']}")
        board = NativeBoard(
            profile, seed, uid=bytes.fromhex(said["uid"]), key=key or bytes.fromhex(said.get("key", ""))
        )
        board.load(state)
    except (ValueError, TypeError) as error:
        raise UsageError(
            "state-unreadable",
            f"{path} is no state of a simulated {profile.name} ({error})",
            remedy="Remove it, or name another.",
        ) from error
    return board


def _head_of_state(head: bytes) -> dict[str, Any]:
    try:
        said = json.loads(head)
    except ValueError:
        said = None
    if not isinstance(said, dict) or not said.keys() >= {"v", "board", "uid"}:
        raise ValueError("it does not begin as one")
    return said


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(
            "file-unreadable", f"{path}: {error.strerror}", remedy="Name a file that can be read."
        ) from error
