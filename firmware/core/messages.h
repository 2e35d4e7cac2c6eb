/* messages.h: the wire in numbers, generated from protocol/messages.toml by tools/generate; do not edit.
 *
 * OTA_<M>_REQ_<FIELD> and OTA_<M>_REP_<FIELD>: offset of a field in the body (behind the header) of request and reply.
 * ..._BYTES: length of the body, less a last field that runs to its end; ..._REST: 1 if there is such a field.
 * OTA_<RECORD>_<FIELD>: offset in a record; ..._VALUE: the only value, ..._MASK: the only bits that may be set in it.
 */
#ifndef OTA_MESSAGES_H
#define OTA_MESSAGES_H

#include <stdint.h>

#define OTA_PROTOCOL_VERSION 1U
#define OTA_HEADER_BYTES 4U
#define OTA_CRC_BYTES 4U
#define OTA_FRAME_LEAST 20U
#define OTA_FRAME_GREATEST 1056U
#define OTA_HEADER_KIND 0U
#define OTA_HEADER_SESSION 1U
#define OTA_HEADER_SERIAL 3U
#define OTA_REPORT_MORE 128U /* bit in the state of a report: the list of gaps was cut short */
#define OTA_FLAG_SINGLE_SLOT 1U /* bit in the flags of manifest and trailer: single slot */
#define OTA_TABLE_DIGEST_BYTES 4U /* bytes that the page table holds for each page */

#define OTA_KIND_REPLY 0x80U
#define OTA_KIND_ENCODING_MASK 0x0FU
#define OTA_KIND_INSPECT 0x01U
#define OTA_KIND_ENTER 0x02U
#define OTA_KIND_OFFER 0x03U
#define OTA_KIND_REPORT 0x04U
#define OTA_KIND_SURVEY 0x05U
#define OTA_KIND_APPLY 0x06U
#define OTA_KIND_CONFIRM 0x07U
#define OTA_KIND_REVERT 0x08U
#define OTA_KIND_REBOOT 0x09U
#define OTA_KIND_ABORT 0x0AU
#define OTA_KIND_BLOCK 0x40U
#define OTA_KIND_BLOCK_REPORT 0x50U
#define OTA_KIND_REFUSED 0x7FU /* a reply only: 0xFF on the wire */

#define OTA_INSPECT_REQ_FRAME_BYTES 0U
#define OTA_INSPECT_REQ_OFFSET 2U
#define OTA_INSPECT_REQ_TARGET 3U
#define OTA_INSPECT_REQ_BYTES 11U
#define OTA_INSPECT_REQ_REST 0U

#define OTA_INSPECT_REP_TOTAL 0U
#define OTA_INSPECT_REP_OFFSET 1U
#define OTA_INSPECT_REP_PART 2U
#define OTA_INSPECT_REP_BYTES 2U
#define OTA_INSPECT_REP_REST 1U

#define OTA_ENTER_REQ_TARGET 0U
#define OTA_ENTER_REQ_BYTES 8U
#define OTA_ENTER_REQ_REST 0U

#define OTA_ENTER_REP_REASON 0U
#define OTA_ENTER_REP_BYTES 1U
#define OTA_ENTER_REP_REST 0U

#define OTA_OFFER_REQ_OFFSET 0U
#define OTA_OFFER_REQ_PART 2U
#define OTA_OFFER_REQ_BYTES 2U
#define OTA_OFFER_REQ_REST 1U

#define OTA_OFFER_REP_REASON 0U
#define OTA_OFFER_REP_NEXT 1U
#define OTA_OFFER_REP_LIMIT 3U
#define OTA_OFFER_REP_BYTES 5U
#define OTA_OFFER_REP_REST 0U

#define OTA_REPORT_REQ_START 0U
#define OTA_REPORT_REQ_BYTES 2U
#define OTA_REPORT_REQ_REST 0U

#define OTA_REPORT_REP_LAST_SERIAL 0U
#define OTA_REPORT_REP_STATE 1U
#define OTA_REPORT_REP_LIMIT 2U
#define OTA_REPORT_REP_HASHED 4U
#define OTA_REPORT_REP_START 6U
#define OTA_REPORT_REP_GAPS 8U
#define OTA_REPORT_REP_BYTES 8U
#define OTA_REPORT_REP_REST 1U

#define OTA_SURVEY_REQ_PAGE 0U
#define OTA_SURVEY_REQ_DIGESTS 2U
#define OTA_SURVEY_REQ_BYTES 2U
#define OTA_SURVEY_REQ_REST 1U

#define OTA_SURVEY_REP_REASON 0U
#define OTA_SURVEY_REP_PAGE 1U
#define OTA_SURVEY_REP_AGREE 3U
#define OTA_SURVEY_REP_BYTES 3U
#define OTA_SURVEY_REP_REST 1U

#define OTA_APPLY_REQ_BYTES 0U
#define OTA_APPLY_REQ_REST 0U

#define OTA_APPLY_REP_REASON 0U
#define OTA_APPLY_REP_WAIT_MS 1U
#define OTA_APPLY_REP_BYTES 3U
#define OTA_APPLY_REP_REST 0U

#define OTA_CONFIRM_REQ_IMAGE_CRC 0U
#define OTA_CONFIRM_REQ_BYTES 4U
#define OTA_CONFIRM_REQ_REST 0U

#define OTA_CONFIRM_REP_REASON 0U
#define OTA_CONFIRM_REP_BYTES 1U
#define OTA_CONFIRM_REP_REST 0U

#define OTA_REVERT_REQ_IMAGE_CRC 0U
#define OTA_REVERT_REQ_BYTES 4U
#define OTA_REVERT_REQ_REST 0U

#define OTA_REVERT_REP_REASON 0U
#define OTA_REVERT_REP_BYTES 1U
#define OTA_REVERT_REP_REST 0U

#define OTA_REBOOT_REQ_TARGET 0U
#define OTA_REBOOT_REQ_BYTES 8U
#define OTA_REBOOT_REQ_REST 0U

#define OTA_REBOOT_REP_REASON 0U
#define OTA_REBOOT_REP_BYTES 1U
#define OTA_REBOOT_REP_REST 0U

#define OTA_ABORT_REQ_BYTES 0U
#define OTA_ABORT_REQ_REST 0U

#define OTA_ABORT_REP_REASON 0U
#define OTA_ABORT_REP_BYTES 1U
#define OTA_ABORT_REP_REST 0U

#define OTA_BLOCK_REQ_PLACE 0U
#define OTA_BLOCK_REQ_DATA 2U
#define OTA_BLOCK_REQ_BYTES 2U
#define OTA_BLOCK_REQ_REST 1U

#define OTA_BLOCK_REPORT_REQ_PLACE 0U
#define OTA_BLOCK_REPORT_REQ_DATA 2U
#define OTA_BLOCK_REPORT_REQ_BYTES 2U
#define OTA_BLOCK_REPORT_REQ_REST 1U

#define OTA_REFUSED_REP_REQUEST 0U
#define OTA_REFUSED_REP_REASON 1U
#define OTA_REFUSED_REP_BYTES 2U
#define OTA_REFUSED_REP_REST 0U

/* gap: A run of missing places. */
#define OTA_GAP_PLACE 0U
#define OTA_GAP_COUNT 2U
#define OTA_GAP_BYTES 4U

/* info: What a device says of itself: the build, its state, and bytes 4 to 31 of the running image's trailer (0: none). May grow at the end; a host ignores bytes that it does not know. */
#define OTA_INFO_PROTOCOL_MIN 0U
#define OTA_INFO_PROTOCOL_MAX 1U
#define OTA_INFO_BOARD 2U
#define OTA_INFO_UID 18U
#define OTA_INFO_PAGE_BYTES 26U
#define OTA_INFO_BLOCK_BYTES 28U
#define OTA_INFO_SLOT_PAGES 30U
#define OTA_INFO_SINGLE_PAGES 32U
#define OTA_INFO_FRAME_BYTES 34U
#define OTA_INFO_WINDOW_BYTES 36U
#define OTA_INFO_STALL_MS 38U
#define OTA_INFO_SLOT_BASE 40U
#define OTA_INFO_ENCODINGS 44U
#define OTA_INFO_SCHEMES 46U
#define OTA_INFO_TRIALS_MAX 48U
#define OTA_INFO_MODE 49U
#define OTA_INFO_BOOT_STATE 50U
#define OTA_INFO_TRIALS_USED 51U
#define OTA_INFO_COUNTER 52U
#define OTA_INFO_WAY_BACK_CRC 56U
#define OTA_INFO_IMAGE_BYTES 60U
#define OTA_INFO_IMAGE_COUNTER 64U
#define OTA_INFO_VERSION 68U
#define OTA_INFO_IMAGE_BOARD_CRC 76U
#define OTA_INFO_IMAGE_PAGES 80U
#define OTA_INFO_IMAGE_FLAGS 82U
#define OTA_INFO_IMAGE_CRC 84U
#define OTA_INFO_BYTES 88U

/* version: major.minor.patch+build */
#define OTA_VERSION_MAJOR 0U
#define OTA_VERSION_MINOR 1U
#define OTA_VERSION_PATCH 2U
#define OTA_VERSION_BUILD 4U
#define OTA_VERSION_BYTES 8U

/* manifest: What is offered, of the decoded image. Exactly these bytes are signed; the signature follows them. */
#define OTA_MANIFEST_FORMAT 0U
#define OTA_MANIFEST_FORMAT_VALUE 0x1U
#define OTA_MANIFEST_SCHEME 1U
#define OTA_MANIFEST_CIPHER 2U
#define OTA_MANIFEST_RESERVED 3U
#define OTA_MANIFEST_RESERVED_VALUE 0x0U
#define OTA_MANIFEST_FLAGS 4U
#define OTA_MANIFEST_FLAGS_MASK 0x1U
#define OTA_MANIFEST_SIGNATURE_BYTES 6U
#define OTA_MANIFEST_BOARD 8U
#define OTA_MANIFEST_COUNTER 24U
#define OTA_MANIFEST_VERSION 28U
#define OTA_MANIFEST_SLOT_BASE 36U
#define OTA_MANIFEST_IMAGE_BYTES 40U
#define OTA_MANIFEST_PAGES 44U
#define OTA_MANIFEST_PAGE_BYTES 46U
#define OTA_MANIFEST_IMAGE_CRC 48U
#define OTA_MANIFEST_KEY_ID 52U
#define OTA_MANIFEST_NONCE 56U
#define OTA_MANIFEST_SHA256 64U
#define OTA_MANIFEST_TABLE_SHA256 96U
#define OTA_MANIFEST_BYTES 128U

/* trailer: The last 32 bytes of the span: the image describes itself. */
#define OTA_TRAILER_MAGIC 0U
#define OTA_TRAILER_MAGIC_VALUE 0x3146544FUL
#define OTA_TRAILER_IMAGE_BYTES 4U
#define OTA_TRAILER_COUNTER 8U
#define OTA_TRAILER_VERSION 12U
#define OTA_TRAILER_BOARD_CRC 20U
#define OTA_TRAILER_PAGES 24U
#define OTA_TRAILER_FLAGS 26U
#define OTA_TRAILER_IMAGE_CRC 28U
#define OTA_TRAILER_BYTES 32U

/* Why a request was refused. */
enum ota_reason {
    OTA_REASON_OK = 0, /* done */
    OTA_REASON_UNKNOWN_MESSAGE = 1, /* this kind is not spoken here */
    OTA_REASON_BAD_LENGTH = 2, /* the body is shorter or longer than the kind allows */
    OTA_REASON_NO_SESSION = 3, /* no offer of this session was accepted in this boot */
    OTA_REASON_IN_APPLICATION = 4, /* only the loader does this: Enter first */
    OTA_REASON_NOT_ADDRESSED = 5, /* the unique id is another device's */
    OTA_REASON_BAD_MANIFEST = 6, /* the format of the manifest is not known or its fields contradict each other */
    OTA_REASON_WRONG_BOARD = 7, /* made for another board */
    OTA_REASON_WRONG_GEOMETRY = 8, /* page size or load address is not this device's */
    OTA_REASON_TOO_LARGE = 9, /* does not fit the slot */
    OTA_REASON_COUNTER_TOO_LOW = 10, /* security counter below the device's */
    OTA_REASON_UNKNOWN_SCHEME = 11, /* signature scheme or cipher not accepted here */
    OTA_REASON_BAD_SIGNATURE = 12, /* the signature does not fit the manifest */
    OTA_REASON_TRIAL_PENDING = 13, /* an image is on trial: confirm or revert it first */
    OTA_REASON_SLOT_IN_USE = 14, /* the running image covers both slots: only a single-slot offer fits */
    OTA_REASON_NOT_VERIFIED = 15, /* blocks are missing or the digest is not ready */
    OTA_REASON_DIGEST_MISMATCH = 16, /* all blocks are held and the digest is wrong: survey, then repair */
    OTA_REASON_FLASH_FAILED = 17, /* the flash does not take what is written */
    OTA_REASON_NO_TRIAL = 18, /* no image is on trial */
    OTA_REASON_ALREADY_CONFIRMED = 19, /* the image was confirmed; its predecessor is gone */
    OTA_REASON_WRONG_IMAGE = 20 /* another image than the one named */
};

/* What the boot record says. */
enum ota_boot_state {
    OTA_BOOT_STATE_NO_IMAGE = 0, /* nothing whole to start: waiting in the loader */
    OTA_BOOT_STATE_IDLE = 1, /* a whole image, nothing pending */
    OTA_BOOT_STATE_TRIAL = 2, /* a new image runs until confirmed or reverted */
    OTA_BOOT_STATE_SWAPPING = 3 /* a swap did not get through: the flash failed */
};

/* Who answers. */
enum ota_mode {
    OTA_MODE_LOADER = 0, /* the bootloader */
    OTA_MODE_APPLICATION = 1, /* the library inside the running application */
    OTA_MODE_STAGING = 2 /* the same; takes an update while the application runs */
};

/* What the session has come to. */
enum ota_transfer_state {
    OTA_TRANSFER_STATE_NONE = 0, /* no offer */
    OTA_TRANSFER_STATE_OFFERING = 1, /* part of the offer is here */
    OTA_TRANSFER_STATE_RECEIVING = 2, /* blocks are missing */
    OTA_TRANSFER_STATE_VERIFYING = 3, /* all blocks are held, the digest is being made */
    OTA_TRANSFER_STATE_VERIFIED = 4, /* the digest is right: Apply may come */
    OTA_TRANSFER_STATE_DAMAGED = 5, /* the digest is wrong: survey and repair */
    OTA_TRANSFER_STATE_FAILED = 6 /* the flash does not take what is written */
};

/* How a manifest is signed. */
enum ota_scheme {
    OTA_SCHEME_NONE = 0, /* not signed */
    OTA_SCHEME_LMS = 1, /* LMS, SHA-256/192, W4 (RFC 8554) */
    OTA_SCHEME_ED25519 = 2 /* Ed25519 (RFC 8032) */
};

/* How the bytes of a block stand for it. */
enum ota_encoding {
    OTA_ENCODING_RAW = 0, /* as they are */
    OTA_ENCODING_LZ = 1, /* reserved: compressed */
    OTA_ENCODING_DELTA = 2 /* reserved: against the running image */
};

/* Numbers as they travel, little-endian; bytes.c. */
uint16_t get_u16(const uint8_t *from);
uint32_t get_u32(const uint8_t *from);
void put_u16(uint8_t *to, uint16_t value);
void put_u32(uint8_t *to, uint32_t value);

#endif
