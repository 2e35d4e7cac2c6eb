#include "offer.h"

#include "image.h"
#include "record.h"
#include "scheme.h"
#include "stage.h"

#define FLAGS_KNOWN 1U

static uint16_t total_of(const struct ota *ota)
{
    return (uint16_t)(OTA_MANIFEST_BYTES + get_u16(ota->manifest + OTA_MANIFEST_SIGNATURE_BYTES));
}

static bool is_board(const uint8_t *name)
{
    for (uint8_t i = 0; i < OTA_BOARD_BYTES; i++) {
        if (name[i] != OTA_BOARD[i]) {
            return false;
        }
    }
    return true;
}

/* The span must hold image and trailer, and not a page more. */
static bool span_fits(const uint8_t *m)
{
    uint32_t bytes = get_u32(m + OTA_MANIFEST_IMAGE_BYTES);
    uint32_t span = (uint32_t)get_u16(m + OTA_MANIFEST_PAGES) * get_u16(m + OTA_MANIFEST_PAGE_BYTES);

    return bytes != 0U && span >= OTA_TRAILER_BYTES && bytes <= span - OTA_TRAILER_BYTES;
}

static bool is_well_formed(const uint8_t *m)
{
    return m[OTA_MANIFEST_FORMAT] == OTA_MANIFEST_FORMAT_VALUE && m[OTA_MANIFEST_RESERVED] == 0U &&
           (get_u16(m + OTA_MANIFEST_FLAGS) & (uint16_t)~FLAGS_KNOWN) == 0U &&
           get_u16(m + OTA_MANIFEST_SIGNATURE_BYTES) <= 0xFFFFU - OTA_MANIFEST_BYTES && span_fits(m);
}

static uint8_t size_gate(const struct ota *ota, bool single)
{
    uint16_t pages = get_u16(ota->manifest + OTA_MANIFEST_PAGES);

    if (single) {
        return OTA_SINGLE_SLOT != 0 && pages <= OTA_SINGLE_PAGES ? OTA_REASON_OK : OTA_REASON_TOO_LARGE;
    }
    if (pages > OTA_SLOT_PAGES) {
        return OTA_REASON_TOO_LARGE;
    }
    return ota->running.pages > OTA_SLOT_PAGES ? OTA_REASON_SLOT_IN_USE : OTA_REASON_OK;
}

static bool scheme_accepted(const uint8_t *m)
{
    return m[OTA_MANIFEST_CIPHER] == 0U && m[OTA_MANIFEST_SCHEME] < 16U &&
           ((uint32_t)scheme_bits() >> m[OTA_MANIFEST_SCHEME] & 1U) != 0U;
}

/* The gates, in the order of the document. */
static uint8_t judge(const struct ota *ota)
{
    const uint8_t *m = ota->manifest;
    uint8_t why;

    if (!is_well_formed(m)) {
        return OTA_REASON_BAD_MANIFEST;
    }
    if (!is_board(m + OTA_MANIFEST_BOARD)) {
        return OTA_REASON_WRONG_BOARD;
    }
    if (get_u16(m + OTA_MANIFEST_PAGE_BYTES) != OTA_PAGE_BYTES || get_u32(m + OTA_MANIFEST_SLOT_BASE) != OTA_SLOT_BASE) {
        return OTA_REASON_WRONG_GEOMETRY;
    }
    why = size_gate(ota, stage_single(ota));
    if (why != OTA_REASON_OK) {
        return why;
    }
    if (get_u32(m + OTA_MANIFEST_COUNTER) < ota->record.counter) {
        return OTA_REASON_COUNTER_TOO_LOW;
    }
    return scheme_accepted(m) ? OTA_REASON_OK : OTA_REASON_UNKNOWN_SCHEME;
}

static uint8_t refuse(struct ota *ota, uint8_t why)
{
    ota->transfer = OTA_TRANSFER_STATE_NONE;
    ota->offer_next = 0;
    ota->map_valid = false;
    return why;
}

/* Whole and right: from here on flash may be touched. */
static uint8_t accept(struct ota *ota)
{
    if (scheme_end(ota) != OTA_OK) {
        return refuse(ota, OTA_REASON_BAD_SIGNATURE);
    }
    if (ota->same_offer && ota->map_valid) {
        stage_continue(ota);
        return OTA_REASON_OK;
    }
    if (record_erase_other(ota) != OTA_OK) {
        return refuse(ota, OTA_REASON_FLASH_FAILED);
    }
    stage_start(ota);
    ota->map_valid = true;
    return OTA_REASON_OK;
}

/* Takes what belongs to the manifest; returns how many bytes that were. */
static uint16_t take_manifest(struct ota *ota, const uint8_t *part, uint16_t count)
{
    uint16_t taken = 0;

    for (; taken < count && ota->offer_next < OTA_MANIFEST_BYTES; taken++, ota->offer_next++) {
        ota->same_offer = ota->same_offer && ota->manifest[ota->offer_next] == part[taken];
        ota->map_valid = ota->map_valid && ota->same_offer;
        ota->manifest[ota->offer_next] = part[taken];
    }
    return taken;
}

static uint8_t take(struct ota *ota, const uint8_t *part, uint16_t count)
{
    uint16_t taken = 0;
    uint8_t why;

    if (ota->offer_next < OTA_MANIFEST_BYTES) {
        taken = take_manifest(ota, part, count);
        if (ota->offer_next < OTA_MANIFEST_BYTES) {
            return OTA_REASON_OK;
        }
        why = judge(ota);
        if (why == OTA_REASON_OK && scheme_start(ota) != OTA_OK) {
            why = OTA_REASON_BAD_SIGNATURE;
        }
        if (why != OTA_REASON_OK) {
            return refuse(ota, why);
        }
    }
    count = (uint16_t)(count - taken);
    if (count > total_of(ota) - ota->offer_next) {
        return refuse(ota, OTA_REASON_BAD_MANIFEST);
    }
    scheme_take(ota, part + taken, count);
    ota->offer_next = (uint16_t)(ota->offer_next + count);
    return ota->offer_next == total_of(ota) ? accept(ota) : (uint8_t)OTA_REASON_OK;
}

uint8_t offer_take(struct ota *ota, uint16_t offset, const uint8_t *part, uint16_t count)
{
    uint16_t session = get_u16(ota->frame + OTA_HEADER_SESSION);

    if (ota->boot == OTA_BOOT_STATE_TRIAL) {
        return OTA_REASON_TRIAL_PENDING;
    }
    if (ota->boot == OTA_BOOT_STATE_SWAPPING) {
        return OTA_REASON_FLASH_FAILED;
    }
    if (offset == 0U && (session != ota->session || ota->transfer == OTA_TRANSFER_STATE_NONE)) {
        stage_flush(ota);
        ota->session = session;
        ota->offer_next = 0;
        ota->same_offer = true;
        ota->transfer = OTA_TRANSFER_STATE_OFFERING;
    }
    if (session != ota->session || ota->transfer != OTA_TRANSFER_STATE_OFFERING || offset != ota->offer_next) {
        return OTA_REASON_OK;
    }
    return take(ota, part, count);
}
