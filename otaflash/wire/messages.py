"""Messages, records and closed sets of the wire, generated from protocol/messages.toml by tools/generate; do not edit.

`pack` gives the body of a message, or a record, and raises WireError if a value does not fit its field. `unpack` takes
it back and raises WireError on a wrong length, and where the description allows one value or some bits only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from typing import ClassVar, Final, Self

from otaflash.wire.errors import WireError, WireFault
from otaflash.wire.fields import Described, bits, block_kind, exactly, fixed, join, listed, only, split
from otaflash.wire.version import version_numbers, version_text

PROTOCOL_VERSION: Final = 1
HEADER_BYTES: Final = 4
CRC_BYTES: Final = 4
FRAME_LEAST: Final = 20
FRAME_GREATEST: Final = 1056
REPLY: Final = 0x80
HEADER: Final = Struct("<BHB")
REPORT_MORE: Final = 128
"""bit in the state of a report: the list of gaps was cut short"""
FLAG_SINGLE_SLOT: Final = 1
"""bit in the flags of manifest and trailer: single slot"""
TABLE_DIGEST_BYTES: Final = 4
"""bytes that the page table holds for each page"""


class Kind(IntEnum):
    """Kinds of requests; a reply has REPLY set. Block kinds have the encoding in the low 4 bits."""

    INSPECT = 0x01
    ENTER = 0x02
    OFFER = 0x03
    REPORT = 0x04
    SURVEY = 0x05
    APPLY = 0x06
    CONFIRM = 0x07
    REVERT = 0x08
    REBOOT = 0x09
    ABORT = 0x0A
    BLOCK = 0x40
    BLOCK_REPORT = 0x50
    REFUSED = 0x7F


class Reason(Described):
    """Why a request was refused."""

    OK = 0, "done"
    UNKNOWN_MESSAGE = 1, "this kind is not spoken here"
    BAD_LENGTH = 2, "the body is shorter or longer than the kind allows"
    NO_SESSION = 3, "no offer of this session was accepted in this boot"
    IN_APPLICATION = 4, "only the loader does this: Enter first"
    NOT_ADDRESSED = 5, "the unique id is another device's"
    BAD_MANIFEST = 6, "the format of the manifest is not known or its fields contradict each other"
    WRONG_BOARD = 7, "made for another board"
    WRONG_GEOMETRY = 8, "page size or load address is not this device's"
    TOO_LARGE = 9, "does not fit the slot"
    COUNTER_TOO_LOW = 10, "security counter below the device's"
    UNKNOWN_SCHEME = 11, "signature scheme or cipher not accepted here"
    BAD_SIGNATURE = 12, "the signature does not fit the manifest"
    TRIAL_PENDING = 13, "an image is on trial: confirm or revert it first"
    SLOT_IN_USE = 14, "the running image covers both slots: only a single-slot offer fits"
    NOT_VERIFIED = 15, "blocks are missing or the digest is not ready"
    DIGEST_MISMATCH = 16, "all blocks are held and the digest is wrong: survey, then repair"
    FLASH_FAILED = 17, "the flash does not take what is written"
    NO_TRIAL = 18, "no image is on trial"
    ALREADY_CONFIRMED = 19, "the image was confirmed; its predecessor is gone"
    WRONG_IMAGE = 20, "another image than the one named"


class BootState(Described):
    """What the boot record says."""

    NO_IMAGE = 0, "nothing whole to start: waiting in the loader"
    IDLE = 1, "a whole image, nothing pending"
    TRIAL = 2, "a new image runs until confirmed or reverted"
    SWAPPING = 3, "a swap did not get through: the flash failed"


class Mode(Described):
    """Who answers."""

    LOADER = 0, "the bootloader"
    APPLICATION = 1, "the library inside the running application"
    STAGING = 2, "the same; takes an update while the application runs"


class TransferState(Described):
    """What the session has come to."""

    NONE = 0, "no offer"
    OFFERING = 1, "part of the offer is here"
    RECEIVING = 2, "blocks are missing"
    VERIFYING = 3, "all blocks are held, the digest is being made"
    VERIFIED = 4, "the digest is right: Apply may come"
    DAMAGED = 5, "the digest is wrong: survey and repair"
    FAILED = 6, "the flash does not take what is written"


class Scheme(Described):
    """How a manifest is signed."""

    NONE = 0, "not signed"
    LMS = 1, "LMS, SHA-256/192, W4 (RFC 8554)"
    ED25519 = 2, "Ed25519 (RFC 8032)"


class Encoding(Described):
    """How the bytes of a block stand for it."""

    RAW = 0, "as they are"
    LZ = 1, "reserved: compressed"
    DELTA = 2, "reserved: against the running image"


_GAP: Final = Struct("<HH")


@dataclass(frozen=True, slots=True)
class Gap:
    """A run of missing places."""

    BYTES: ClassVar[int] = 4

    place: int
    """first missing place (u16)"""
    count: int
    """how many, at least 1 (u16)"""

    def pack(self) -> bytes:
        """The bytes on the wire. Raises WireError for a value that does not fit its field."""
        return join("Gap", _GAP, self.place, self.count)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        return cls(*fixed("Gap", _GAP, body))


_INFO: Final = Struct("<BB16s8sHHHHHHHIHHBBBBIIII8sIHHI")


@dataclass(frozen=True, slots=True)
class Info:
    """What a device says of itself: the build, its state, and bytes 4 to 31 of the running image's trailer (0: none).
    May grow at the end; a host ignores bytes that it does not know."""

    BYTES: ClassVar[int] = 88

    protocol_min: int
    """lowest protocol version spoken (u8)"""
    protocol_max: int
    """highest protocol version spoken (u8)"""
    board: bytes
    """board name, ASCII, zero padded (bytes16)"""
    uid: bytes
    """unique id of this device (bytes8)"""
    page_bytes: int
    """flash erase unit (u16)"""
    block_bytes: int
    """unit of places; a power of two, divides page_bytes (u16)"""
    slot_pages: int
    """pages of the primary slot, trailer included (u16)"""
    single_pages: int
    """pages of the one slot in single-slot mode; 0: not offered (u16)"""
    frame_bytes: int
    """largest frame taken (before COBS) (u16)"""
    window_bytes: int
    """most wire bytes in flight unreported; 0: no limit at this line rate (u16)"""
    stall_ms: int
    """longest time for which one frame may keep the device from answering (u16)"""
    slot_base: int
    """address that the primary slot is mapped at (u32)"""
    encodings: int
    """bit n: block encoding n is decoded (u16)"""
    schemes: int
    """bit n: signature scheme n is accepted (u16)"""
    trials_max: int
    """boots after which an unconfirmed image is reverted (u8)"""
    mode: int
    """see modes (u8)"""
    boot_state: int
    """see boot states (u8)"""
    trials_used: int
    """boots that the image on trial has had (u8)"""
    counter: int
    """security counter of the device; offers below it are refused (u32)"""
    way_back_crc: int
    """on trial: CRC of the image that a revert restores; else 0 (u32)"""
    image_bytes: int
    """running image: bytes without padding and trailer; 0: none (u32)"""
    image_counter: int
    """running image: security counter (u32)"""
    version: bytes
    """running image: version (bytes8)"""
    image_board_crc: int
    """running image: CRC of the board name (u32)"""
    image_pages: int
    """running image: span in pages (u16)"""
    image_flags: int
    """running image: flags (u16)"""
    image_crc: int
    """running image: CRC; names it in confirm and revert (u32)"""

    def pack(self) -> bytes:
        """The bytes on the wire. Raises WireError for a value that does not fit its field."""
        return join(
            "Info",
            _INFO,
            self.protocol_min,
            self.protocol_max,
            exactly("board", 16, self.board),
            exactly("uid", 8, self.uid),
            self.page_bytes,
            self.block_bytes,
            self.slot_pages,
            self.single_pages,
            self.frame_bytes,
            self.window_bytes,
            self.stall_ms,
            self.slot_base,
            self.encodings,
            self.schemes,
            self.trials_max,
            self.mode,
            self.boot_state,
            self.trials_used,
            self.counter,
            self.way_back_crc,
            self.image_bytes,
            self.image_counter,
            exactly("version", 8, self.version),
            self.image_board_crc,
            self.image_pages,
            self.image_flags,
            self.image_crc,
        )

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        return cls(*fixed("Info", _INFO, body[: cls.BYTES]))


_VERSION: Final = Struct("<BBHI")


@dataclass(frozen=True, slots=True)
class Version:
    """major.minor.patch+build"""

    BYTES: ClassVar[int] = 8

    major: int
    """major (u8)"""
    minor: int
    """minor (u8)"""
    patch: int
    """patch (u16)"""
    build: int
    """build number, 0: none (u32)"""

    def pack(self) -> bytes:
        """The bytes on the wire. Raises WireError for a value that does not fit its field."""
        return join("Version", _VERSION, self.major, self.minor, self.patch, self.build)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        return cls(*fixed("Version", _VERSION, body))

    def __str__(self) -> str:
        return version_text(self.major, self.minor, self.patch, self.build)

    @classmethod
    def parse(cls, text: str) -> Self:
        """What `str` gives, read back. Raises WireError."""
        return cls(*version_numbers(text))


_MANIFEST: Final = Struct("<BBBBHH16sI8sIIHHI4s8s32s32s")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is offered, of the decoded image. Exactly these bytes are signed; the signature follows them."""

    BYTES: ClassVar[int] = 128
    FORMAT_VALUE: ClassVar[int] = 0x1
    RESERVED_VALUE: ClassVar[int] = 0x0
    FLAGS_MASK: ClassVar[int] = 0x1

    format: int
    """1 (u8)"""
    scheme: int
    """signature scheme (u8)"""
    cipher: int
    """block cipher: 0 none (u8)"""
    reserved: int
    """0; anything else is refused (u8)"""
    flags: int
    """bit 0: single slot. An unknown bit is refused (u16)"""
    signature_bytes: int
    """length of the signature; 0 for scheme none (u16)"""
    board: bytes
    """board that it is made for (bytes16)"""
    counter: int
    """security counter (u32)"""
    version: bytes
    """version (bytes8)"""
    slot_base: int
    """address that the image is linked for (u32)"""
    image_bytes: int
    """bytes without padding and trailer (u32)"""
    pages: int
    """span in pages: image, padding (0xFF) and trailer (u16)"""
    page_bytes: int
    """page size that span, trailer and page table are made for (u16)"""
    image_crc: int
    """CRC-32 over the span less its last 4 bytes; stands in these (u32)"""
    key_id: bytes
    """first 4 bytes of the SHA-256 of the public key; 0: none (bytes4)"""
    nonce: bytes
    """for the cipher; 0: none (bytes8)"""
    sha256: bytes
    """SHA-256 over the span (bytes32)"""
    table_sha256: bytes
    """SHA-256 over the page table (4 bytes a page: the first 4 of its SHA-256) (bytes32)"""

    def pack(self) -> bytes:
        """The bytes on the wire. Raises WireError for a value that does not fit its field."""
        return join(
            "Manifest",
            _MANIFEST,
            self.format,
            self.scheme,
            self.cipher,
            self.reserved,
            self.flags,
            self.signature_bytes,
            exactly("board", 16, self.board),
            self.counter,
            exactly("version", 8, self.version),
            self.slot_base,
            self.image_bytes,
            self.pages,
            self.page_bytes,
            self.image_crc,
            exactly("key_id", 4, self.key_id),
            exactly("nonce", 8, self.nonce),
            exactly("sha256", 32, self.sha256),
            exactly("table_sha256", 32, self.table_sha256),
        )

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        found = cls(*fixed("Manifest", _MANIFEST, body))
        only("format", 0x1, found.format)
        only("reserved", 0x0, found.reserved)
        bits("flags", 0x1, found.flags)
        return found


_TRAILER: Final = Struct("<III8sIHHI")


@dataclass(frozen=True, slots=True)
class Trailer:
    """The last 32 bytes of the span: the image describes itself."""

    BYTES: ClassVar[int] = 32
    MAGIC_VALUE: ClassVar[int] = 0x3146544F

    magic: int
    """0x3146544F ('OTF1') (u32)"""
    image_bytes: int
    """bytes without padding and trailer (u32)"""
    counter: int
    """security counter (u32)"""
    version: bytes
    """version (bytes8)"""
    board_crc: int
    """CRC-32 of the 16 bytes of the board name (u32)"""
    pages: int
    """span in pages (u16)"""
    flags: int
    """as in the manifest (u16)"""
    image_crc: int
    """CRC-32 over the span up to here (u32)"""

    def pack(self) -> bytes:
        """The bytes on the wire. Raises WireError for a value that does not fit its field."""
        return join(
            "Trailer",
            _TRAILER,
            self.magic,
            self.image_bytes,
            self.counter,
            exactly("version", 8, self.version),
            self.board_crc,
            self.pages,
            self.flags,
            self.image_crc,
        )

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        found = cls(*fixed("Trailer", _TRAILER, body))
        only("magic", 0x3146544F, found.magic)
        return found


_INSPECT: Final = Struct("<HB8s")


@dataclass(frozen=True, slots=True)
class Inspect:
    """Who are you? Answered by the loader and by the application library; changes nothing."""

    kind: ClassVar[int] = 0x01

    frame_bytes: int
    """the largest frame that the reply may have (u16)"""
    offset: int
    """first byte of the info record asked for (u8)"""
    target: bytes
    """unique id of the device meant; all zero: any (bytes8)"""

    def pack(self) -> bytes:
        """The bytes on the wire. Raises WireError for a value that does not fit its field."""
        return join("Inspect", _INSPECT, self.frame_bytes, self.offset, exactly("target", 8, self.target))

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        return cls(*fixed("Inspect", _INSPECT, body))


_INSPECT_REPLY: Final = Struct("<BB")


@dataclass(frozen=True, slots=True)
class InspectReply:
    """Answers Inspect."""

    kind: ClassVar[int] = 0x81

    total: int
    """length of the info record (u8)"""
    offset: int
    """place of the bytes that follow (u8)"""
    part: bytes
    """as much of the info record as fits the frame (rest)"""

    def pack(self) -> bytes:
        """The bytes on the wire. Raises WireError for a value that does not fit its field."""
        return join("InspectReply", _INSPECT_REPLY, self.total, self.offset) + self.part

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        return cls(*split("InspectReply", _INSPECT_REPLY, body))


_ENTER: Final = Struct("<8s")


@dataclass(frozen=True, slots=True)
class Enter:
    """Restart into the loader and stay there. In the loader: stay. Needs the exact unique id."""

    kind: ClassVar[int] = 0x02

    target: bytes
    """unique id of the device meant; never all zero (bytes8)"""

    def pack(self) -> bytes:
        """The bytes on the wire. Raises WireError for a value that does not fit its field."""
        return join("Enter", _ENTER, exactly("target", 8, self.target))

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        return cls(*fixed("Enter", _ENTER, body))


_ENTER_REPLY: Final = Struct("<B")


@dataclass(frozen=True, slots=True)
class EnterReply:
    """Answers Enter."""

    kind: ClassVar[int] = 0x82

    reason: int
    """ok, or why not (u8)"""

    def pack(self) -> bytes:
        """The bytes on the wire. Raises WireError for a value that does not fit its field."""
        return join("EnterReply", _ENTER_REPLY, self.reason)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        return cls(*fixed("EnterReply", _ENTER_REPLY, body))


_OFFER: Final = Struct("<H")


@dataclass(frozen=True, slots=True)
class Offer:
    """A part of manifest and signature. Parts are taken in order; the first opens the session."""

    kind: ClassVar[int] = 0x03

    offset: int
    """place of the part in manifest followed by signature (u16)"""
    part: bytes
    """bytes of it (rest)"""

    def pack(self) -> bytes:
        """The bytes on the wire. Raises WireError for a value that does not fit its field."""
        return join("Offer", _OFFER, self.offset) + self.part

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        return cls(*split("Offer", _OFFER, body))


_OFFER_REPLY: Final = Struct("<BHH")


@dataclass(frozen=True, slots=True)
class OfferReply:
    """Answers Offer."""

    kind: ClassVar[int] = 0x83

    reason: int
    """ok, or why the offer is refused (u8)"""
    next: int
    """offset of the next byte expected; the total once accepted (u16)"""
    limit: int
    """places below it may be sent now (0 until accepted) (u16)"""

    def pack(self) -> bytes:
        """The bytes on the wire. Raises WireError for a value that does not fit its field."""
        return join("OfferReply", _OFFER_REPLY, self.reason, self.next, self.limit)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        return cls(*fixed("OfferReply", _OFFER_REPLY, body))


_REPORT: Final = Struct("<H")


@dataclass(frozen=True, slots=True)
class Report:
    """What is missing? Also the reply to a block that asks for it."""

    kind: ClassVar[int] = 0x04

    start: int
    """first place the report shall speak of (u16)"""

    def pack(self) -> bytes:
        """The bytes on the wire. Raises WireError for a value that does not fit its field."""
        return join("Report", _REPORT, self.start)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        return cls(*fixed("Report", _REPORT, body))


_REPORT_REPLY: Final = Struct("<BBHHH")


@dataclass(frozen=True, slots=True)
class ReportReply:
    """Answers Report."""

    kind: ClassVar[int] = 0x84

    last_serial: int
    """serial of the block frame heard last in this session (u8)"""
    state: int
    """transfer state; bit 7: the list was cut short (u8)"""
    limit: int
    """credit: places below it may be sent now (u16)"""
    hashed: int
    """pages digested so far (u16)"""
    start: int
    """first place this report speaks of (u16)"""
    gaps: tuple[Gap, ...]
    """missing places from `start` on, ascending (list:gap)"""

    def pack(self) -> bytes:
        """The bytes on the wire. Raises WireError for a value that does not fit its field."""
        values = join("ReportReply", _REPORT_REPLY, self.last_serial, self.state, self.limit, self.hashed, self.start)
        return values + b"".join(each.pack() for each in self.gaps)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        return cls(*listed(Gap, "ReportReply", _REPORT_REPLY, body))


_SURVEY: Final = Struct("<H")


@dataclass(frozen=True, slots=True)
class Survey:
    """Which pages in flash already agree with these digests? Pages that agree count as held, pages that do not are
    void."""

    kind: ClassVar[int] = 0x05

    page: int
    """first page (u16)"""
    digests: bytes
    """4 bytes a page: the first 4 of its SHA-256 (rest)"""

    def pack(self) -> bytes:
        """The bytes on the wire. Raises WireError for a value that does not fit its field."""
        return join("Survey", _SURVEY, self.page) + self.digests

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        return cls(*split("Survey", _SURVEY, body))


_SURVEY_REPLY: Final = Struct("<BH")


@dataclass(frozen=True, slots=True)
class SurveyReply:
    """Answers Survey."""

    kind: ClassVar[int] = 0x85

    reason: int
    """ok, or why not (u8)"""
    page: int
    """first page, repeated (u16)"""
    agree: bytes
    """one bit a page, lowest bit first; set: agrees (rest)"""

    def pack(self) -> bytes:
        """The bytes on the wire. Raises WireError for a value that does not fit its field."""
        return join("SurveyReply", _SURVEY_REPLY, self.reason, self.page) + self.agree

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        return cls(*split("SurveyReply", _SURVEY_REPLY, body))


_APPLY: Final = Struct("<")


@dataclass(frozen=True, slots=True)
class Apply:
    """Swap the verified image in and start it on trial. Needs a verified offer in the same boot and session."""

    kind: ClassVar[int] = 0x06

    def pack(self) -> bytes:
        """The bytes on the wire. Raises WireError for a value that does not fit its field."""
        return join("Apply", _APPLY)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        return cls(*fixed("Apply", _APPLY, body))


_APPLY_REPLY: Final = Struct("<BH")


@dataclass(frozen=True, slots=True)
class ApplyReply:
    """Answers Apply."""

    kind: ClassVar[int] = 0x86

    reason: int
    """ok, or why not (u8)"""
    wait_ms: int
    """how long the swap may take at most, in ms (u16)"""

    def pack(self) -> bytes:
        """The bytes on the wire. Raises WireError for a value that does not fit its field."""
        return join("ApplyReply", _APPLY_REPLY, self.reason, self.wait_ms)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        return cls(*fixed("ApplyReply", _APPLY_REPLY, body))


_CONFIRM: Final = Struct("<I")


@dataclass(frozen=True, slots=True)
class Confirm:
    """Keep the image that is on trial. Names it, so that a late copy cannot confirm another."""

    kind: ClassVar[int] = 0x07

    image_crc: int
    """CRC of the image meant (u32)"""

    def pack(self) -> bytes:
        """The bytes on the wire. Raises WireError for a value that does not fit its field."""
        return join("Confirm", _CONFIRM, self.image_crc)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        return cls(*fixed("Confirm", _CONFIRM, body))


_CONFIRM_REPLY: Final = Struct("<B")


@dataclass(frozen=True, slots=True)
class ConfirmReply:
    """Answers Confirm."""

    kind: ClassVar[int] = 0x87

    reason: int
    """ok (also when confirmed before), or why not (u8)"""

    def pack(self) -> bytes:
        """The bytes on the wire. Raises WireError for a value that does not fit its field."""
        return join("ConfirmReply", _CONFIRM_REPLY, self.reason)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        return cls(*fixed("ConfirmReply", _CONFIRM_REPLY, body))


_REVERT: Final = Struct("<I")


@dataclass(frozen=True, slots=True)
class Revert:
    """Give up the image that is on trial and swap the old one back."""

    kind: ClassVar[int] = 0x08

    image_crc: int
    """CRC of the image to give up (u32)"""

    def pack(self) -> bytes:
        """The bytes on the wire. Raises WireError for a value that does not fit its field."""
        return join("Revert", _REVERT, self.image_crc)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        return cls(*fixed("Revert", _REVERT, body))


_REVERT_REPLY: Final = Struct("<B")


@dataclass(frozen=True, slots=True)
class RevertReply:
    """Answers Revert."""

    kind: ClassVar[int] = 0x88

    reason: int
    """ok (also when reverted before), or why not (u8)"""

    def pack(self) -> bytes:
        """The bytes on the wire. Raises WireError for a value that does not fit its field."""
        return join("RevertReply", _REVERT_REPLY, self.reason)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        return cls(*fixed("RevertReply", _REVERT_REPLY, body))


_REBOOT: Final = Struct("<8s")


@dataclass(frozen=True, slots=True)
class Reboot:
    """Restart without staying in the loader. Needs the exact unique id."""

    kind: ClassVar[int] = 0x09

    target: bytes
    """unique id of the device meant; never all zero (bytes8)"""

    def pack(self) -> bytes:
        """The bytes on the wire. Raises WireError for a value that does not fit its field."""
        return join("Reboot", _REBOOT, exactly("target", 8, self.target))

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        return cls(*fixed("Reboot", _REBOOT, body))


_REBOOT_REPLY: Final = Struct("<B")


@dataclass(frozen=True, slots=True)
class RebootReply:
    """Answers Reboot."""

    kind: ClassVar[int] = 0x89

    reason: int
    """ok, or why not (u8)"""

    def pack(self) -> bytes:
        """The bytes on the wire. Raises WireError for a value that does not fit its field."""
        return join("RebootReply", _REBOOT_REPLY, self.reason)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        return cls(*fixed("RebootReply", _REBOOT_REPLY, body))


_ABORT: Final = Struct("<")


@dataclass(frozen=True, slots=True)
class Abort:
    """Forget the session. What is staged stays in flash for a later survey."""

    kind: ClassVar[int] = 0x0A

    def pack(self) -> bytes:
        """The bytes on the wire. Raises WireError for a value that does not fit its field."""
        return join("Abort", _ABORT)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        return cls(*fixed("Abort", _ABORT, body))


_ABORT_REPLY: Final = Struct("<B")


@dataclass(frozen=True, slots=True)
class AbortReply:
    """Answers Abort."""

    kind: ClassVar[int] = 0x8A

    reason: int
    """always ok (u8)"""

    def pack(self) -> bytes:
        """The bytes on the wire. Raises WireError for a value that does not fit its field."""
        return join("AbortReply", _ABORT_REPLY, self.reason)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        return cls(*fixed("AbortReply", _ABORT_REPLY, body))


_BLOCK: Final = Struct("<H")


@dataclass(frozen=True, slots=True)
class Block:
    """One or more blocks, in the encoding that the kind names. No reply."""

    place: int
    """first block, counted in units of block_bytes from the start of the image (u16)"""
    data: bytes
    """raw: whole blocks, one after the other (rest)"""

    encoding: int = 0
    """Encoding of the data, 0 to 15; travels in the kind."""

    @property
    def kind(self) -> int:
        """The kind byte of the frame, with the encoding in it."""
        return block_kind(0x40, self.encoding)

    def pack(self) -> bytes:
        """The bytes on the wire. Raises WireError for a value that does not fit its field."""
        return join("Block", _BLOCK, self.place) + self.data

    @classmethod
    def unpack(cls, body: bytes, encoding: int = 0) -> Self:
        place, data = split("Block", _BLOCK, body)
        return cls(place, data, encoding)


_BLOCK_REPORT: Final = Struct("<H")


@dataclass(frozen=True, slots=True)
class BlockReport:
    """As block, and then a report is sent (kind 0x84, this serial)."""

    place: int
    """as in block (u16)"""
    data: bytes
    """as in block (rest)"""

    encoding: int = 0
    """Encoding of the data, 0 to 15; travels in the kind."""

    @property
    def kind(self) -> int:
        """The kind byte of the frame, with the encoding in it."""
        return block_kind(0x50, self.encoding)

    def pack(self) -> bytes:
        """The bytes on the wire. Raises WireError for a value that does not fit its field."""
        return join("BlockReport", _BLOCK_REPORT, self.place) + self.data

    @classmethod
    def unpack(cls, body: bytes, encoding: int = 0) -> Self:
        place, data = split("BlockReport", _BLOCK_REPORT, body)
        return cls(place, data, encoding)


_REFUSED: Final = Struct("<BB")


@dataclass(frozen=True, slots=True)
class Refused:
    """The request was not understood or cannot be served in this state. Only a reply: 0xFF on the wire."""

    kind: ClassVar[int] = 0xFF

    request: int
    """kind of the request (u8)"""
    reason: int
    """why (u8)"""

    def pack(self) -> bytes:
        """The bytes on the wire. Raises WireError for a value that does not fit its field."""
        return join("Refused", _REFUSED, self.request, self.reason)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        return cls(*fixed("Refused", _REFUSED, body))


Request = Inspect | Enter | Offer | Report | Survey | Apply | Confirm | Revert | Reboot | Abort | Block | BlockReport
Reply = (
    InspectReply
    | EnterReply
    | OfferReply
    | ReportReply
    | SurveyReply
    | ApplyReply
    | ConfirmReply
    | RevertReply
    | RebootReply
    | AbortReply
    | Refused
)
Message = Request | Reply

_UNPACK: Final[dict[int, Callable[[bytes], Message]]] = {
    0x01: Inspect.unpack,
    0x81: InspectReply.unpack,
    0x02: Enter.unpack,
    0x82: EnterReply.unpack,
    0x03: Offer.unpack,
    0x83: OfferReply.unpack,
    0x04: Report.unpack,
    0x84: ReportReply.unpack,
    0x05: Survey.unpack,
    0x85: SurveyReply.unpack,
    0x06: Apply.unpack,
    0x86: ApplyReply.unpack,
    0x07: Confirm.unpack,
    0x87: ConfirmReply.unpack,
    0x08: Revert.unpack,
    0x88: RevertReply.unpack,
    0x09: Reboot.unpack,
    0x89: RebootReply.unpack,
    0x0A: Abort.unpack,
    0x8A: AbortReply.unpack,
    0xFF: Refused.unpack,
}


def unpack(kind: int, body: bytes) -> Message:
    """The message of that kind on the wire. Raises WireError: unknown kind, or a body that does not fit."""
    if kind & 0xF0 == 0x40:
        return Block.unpack(body, kind & 0x0F)
    if kind & 0xF0 == 0x50:
        return BlockReport.unpack(body, kind & 0x0F)
    unpacker = _UNPACK.get(kind)
    if unpacker is None:
        raise WireError(WireFault.UNKNOWN_KIND, f"no message has kind 0x{kind:02X}")
    return unpacker(body)
