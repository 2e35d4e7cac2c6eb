"""The engine's errors: each with cause, fault, remedy and exit code. Knows reasons, no step."""

from __future__ import annotations

from otaflash.errors import ExitCode, Fault, LinkError, OtaflashError
from otaflash.wire.messages import PROTOCOL_VERSION, Reason

_REMEDIES: dict[int, str] = {
    Reason.WRONG_BOARD: "Build the bundle for the board that `otaflash info` names, or name the other board's port.",
    Reason.WRONG_GEOMETRY: "Build the bundle again for this device: its page size or load address differs.",
    Reason.TOO_LARGE: "Make the image smaller, or allow the single-slot mode (no way back) if the board offers it.",
    Reason.SLOT_IN_USE: "Push it with --single-slot: the running image covers both slots, and leaves no way back.",
    Reason.COUNTER_TOO_LOW: "Offer an image whose security counter is at least the device's.",
    Reason.UNKNOWN_SCHEME: "Sign with a scheme that this device's loader was built with.",
    Reason.BAD_SIGNATURE: "Sign with the key whose public half is in the device, and check that the file is whole.",
    Reason.BAD_MANIFEST: "Build the bundle again with this version of otaflash.",
    Reason.TRIAL_PENDING: "Run `otaflash confirm` or `otaflash revert` first, then push again.",
    Reason.FLASH_FAILED: "The flash of this board is worn or damaged: replace the board.",
    Reason.NO_TRIAL: "There is nothing to decide; `otaflash info` shows what runs.",
    Reason.ALREADY_CONFIRMED: "Push the older image again; its copy on the board is gone.",
    Reason.WRONG_IMAGE: "Look with `otaflash info` what runs now, and try again.",
}

_VERIFY_REASONS = frozenset({Reason.FLASH_FAILED, Reason.DIGEST_MISMATCH})
_ORDER_REASONS = frozenset(
    {Reason.TRIAL_PENDING, Reason.SLOT_IN_USE, Reason.NO_TRIAL, Reason.ALREADY_CONFIRMED, Reason.WRONG_IMAGE}
)
"""Nothing is wrong with the file: the order does not fit the state that the board is in."""


def refused(reason: int, what: str) -> OtaflashError:
    """The device said no to `what`: exit code 5, or 6 where its flash is the cause."""
    known = set(Reason) - {Reason.OK}  # a no that says "done" says nothing, either
    name = Reason.name_of(reason).replace("_", "-") if reason in known else "refused-unknown"
    meaning = Reason(reason).text if reason in known else "a reason that this version does not know"
    verify = reason in _VERIFY_REASONS
    return OtaflashError(
        name,
        f"the device refused {what}: {meaning}",
        remedy=_REMEDIES.get(reason, "Run `otaflash info` and compare what the device says with the image."),
        fault=Fault.DEVICE if verify else Fault.USER if reason in _ORDER_REASONS else Fault.IMAGE,
        exit_code=ExitCode.VERIFY_FAILED if verify else ExitCode.IMAGE_REFUSED,
    )


def mid_swap() -> OtaflashError:
    """The device stands between two images, and its flash does not take what would end that."""
    return refused(Reason.FLASH_FAILED, "to go on: a swap did not get through")


def silent(awaited: str, seconds: float, *, contact: bool) -> LinkError:
    """Nothing valid came for `seconds`."""
    waited = f"{seconds:.1f}".removesuffix(".0")
    text = f"no answer for {waited} s while waiting for {awaited}"
    if contact:
        return LinkError("link-lost", text, remedy="Bring the board back into reach and push again: it resumes.")
    remedy = "Check power, port and baud rate; if the application does not listen, reset the board while pushing."
    return LinkError("no-answer", text, remedy=remedy)


def stalled(awaited: str, seconds: float) -> LinkError:
    """Answers come, and nothing gets further for so many seconds."""
    return LinkError(
        "no-progress",
        f"the device answers, but nothing got further for {seconds:.0f} s while waiting for {awaited}",
        remedy="Bring the board closer or lower the radio's rate, then push again: it resumes.",
    )


def garbage(awaited: str, received: int) -> LinkError:
    """Bytes come, but no frame."""
    return LinkError(
        "garbage",
        f"{received:,} bytes came while waiting for {awaited}, none of them a frame of otaflash",
        remedy="Check the baud rate, and that the device on this port runs an otaflash loader.",
    )


def echoed(awaited: str) -> LinkError:
    """What comes back is what was sent."""
    return LinkError(
        "echo",
        f"the link returns what is sent, and nothing else came while waiting for {awaited}",
        remedy="Switch off the echo of the radio or adapter, and check that a device is connected behind it.",
    )


def protocol(lowest: int, highest: int) -> OtaflashError:
    """No version in common."""
    newer = lowest > PROTOCOL_VERSION
    return OtaflashError(
        "protocol-too-new" if newer else "protocol-too-old",
        f"the device speaks protocol {lowest} to {highest}, this otaflash speaks {PROTOCOL_VERSION}",
        remedy="Install a newer otaflash." if newer else "Install the otaflash that the device was made with.",
        fault=Fault.USER if newer else Fault.DEVICE,
        exit_code=ExitCode.IMAGE_REFUSED,
    )


def bad_info(why: str) -> OtaflashError:
    """An info record that cannot be."""
    return OtaflashError(
        "bad-info",
        f"the device describes itself in a way that cannot be: {why}",
        remedy="Check the loader of this board; its port states a wrong geometry.",
        fault=Fault.DEVICE,
        exit_code=ExitCode.IMAGE_REFUSED,
    )


def frames_too_small(frame_bytes: int, block_bytes: int) -> LinkError:
    """The smallest block of the device does not fit a write."""
    return LinkError(
        "frames-too-small",
        f"a write takes {frame_bytes} bytes, and the blocks of {block_bytes} bytes that the device takes do not fit it",
        remedy="Use a host and a device that agree on a larger ATT MTU.",
    )


def image_unfit(why: str) -> OtaflashError:
    """The bundle is not for this device, found before anything was sent."""
    return OtaflashError(
        "wrong-geometry",
        f"the image does not fit this device: {why}",
        remedy=_REMEDIES[Reason.WRONG_GEOMETRY],
        fault=Fault.IMAGE,
        exit_code=ExitCode.IMAGE_REFUSED,
    )


def will_not_enter() -> OtaflashError:
    """The application answers but does not restart into the loader."""
    return OtaflashError(
        "will-not-enter",
        "the application does not restart into the loader",
        remedy="Reset the board by hand and push within the loader's entry window.",
        fault=Fault.DEVICE,
        exit_code=ExitCode.LINK_LOST,
    )


def unstable() -> OtaflashError:
    """The device restarts again and again."""
    return OtaflashError(
        "device-restarts",
        "the device restarts again and again in the middle of the update",
        remedy="Check its supply voltage; the push resumes when it is run again.",
        fault=Fault.DEVICE,
        exit_code=ExitCode.LINK_LOST,
    )


def not_verified(why: str) -> OtaflashError:
    """All blocks are there, and the digest is not right."""
    return OtaflashError(
        "verification-failed",
        f"the image on the device could not be verified: {why}",
        remedy="Push again; if it repeats, the flash is damaged. The board keeps what it ran.",
        fault=Fault.DEVICE,
        exit_code=ExitCode.VERIFY_FAILED,
    )


def reverted() -> OtaflashError:
    """The old image runs again."""
    return OtaflashError(
        "not-confirmed",
        "the new image was not confirmed, and the device went back to the old one",
        remedy="The new program does not come up on this board: try it on a bench, then push a repaired one.",
        fault=Fault.IMAGE,
        exit_code=ExitCode.NOT_CONFIRMED,
    )


def new_image_silent(seconds: float) -> OtaflashError:
    """The new image was started and says nothing for so many seconds."""
    return OtaflashError(
        "new-image-silent",
        f"the new image was started and has not answered for {seconds:.0f} s; it stays on trial, unconfirmed",
        remedy="Link the application library into the program; unconfirmed, it is given up after some restarts.",
        fault=Fault.IMAGE,
        exit_code=ExitCode.NOT_CONFIRMED,
    )
