#include "offer.h"

#include <string.h>

#include "boot.h"
#include "image.h"
#include "record.h"
#include "scheme.h"
#include "stage.h"

#define FLAGS_KNOWN 1U

static uint16_t total_of(const struct ota *ota)
{
    return (uint16_t)(OTA_MANIFEST_BYTES + get_u16(ota->manifest + OTA_MANIFEST_SIGNATURE_BYTES));
}

/* Known format, and a span that holds image and trailer. */
static bool is_well_formed(const uint8_t *m)
{
    uint32_t bytes = get_u32(m + OTA_MANIFEST_IMAGE_BYTES);
    uint32_t span = (uint32_t)get_u16(m + OTA_MANIFEST_PAGES) * get_u16(m + OTA_MANIFEST_PAGE_BYTES);

    return m[OTA_MANIFEST_FORMAT] == OTA_MANIFEST_FORMAT_VALUE && m[OTA_MANIFEST_RESERVED] == 0U &&
           get_u16(m + OTA_MANIFEST_FLAGS) <= FLAGS_KNOWN &&
           get_u16(m + OTA_MANIFEST_SIGNATURE_BYTES) <= 0xFFFFU - OTA_MANIFEST_BYTES &&
           span >= OTA_TRAILER_BYTES && bytes - 1U < span - OTA_TRAILER_BYTES; /* none wrap to the most */
}

static uint8_t size_gate(struct ota *ota)
{
    uint16_t pages = get_u16(ota->manifest + OTA_MANIFEST_PAGES);
    uint16_t most = OTA_SLOT_PAGES;

    if (stage_single(ota)) {
        most = OTA_SINGLE_SLOT != 0 && ota->mode == OTA_MODE_LOADER ? OTA_SINGLE_PAGES : 0U; /* an application runs there */
    }
    if (pages > most) {
        return OTA_REASON_TOO_LARGE;
    }
    return get_u16(boot_running(ota)) > most ? OTA_REASON_SLOT_IN_USE : OTA_REASON_OK;
}

/* The gates, in the order of the document. */
static uint8_t judge(struct ota *ota)
{
    const uint8_t *m = ota->manifest;
    uint8_t *identity = ota->scratch;
    uint8_t why;

    port_identity(identity);
    if (!is_well_formed(m)) {
        return OTA_REASON_BAD_MANIFEST;
    }
    if (memcmp(m + OTA_MANIFEST_BOARD, identity + OTA_INFO_BOARD, OTA_INFO_UID - OTA_INFO_BOARD) != 0) {
        return OTA_REASON_WRONG_BOARD;
    }
    if (memcmp(m + OTA_MANIFEST_PAGE_BYTES, identity + OTA_INFO_PAGE_BYTES, 2) != 0 ||
        memcmp(m + OTA_MANIFEST_SLOT_BASE, identity + OTA_INFO_SLOT_BASE, 4) != 0) {
        return OTA_REASON_WRONG_GEOMETRY;
    }
    why = size_gate(ota);
    if (why != OTA_REASON_OK) {
        return why;
    }
    if (get_u32(m + OTA_MANIFEST_COUNTER) < get_u32(ota->record + RECORD_COUNTER)) {
        return OTA_REASON_COUNTER_TOO_LOW;
    }
    return m[OTA_MANIFEST_CIPHER] == 0U && scheme_accepts(m[OTA_MANIFEST_SCHEME]) ? OTA_REASON_OK
                                                                                   : OTA_REASON_UNKNOWN_SCHEME;
}

/* Whole and right: from here on flash may be touched. */
static uint8_t accept(struct ota *ota)
{
    if (scheme_end(ota) != OTA_OK) {
        return OTA_REASON_BAD_SIGNATURE;
    }
    ota->voided = 0;
    if (ota->map_valid) {
        stage_continue(ota);
        return OTA_REASON_OK;
    }
    if (record_erase_other(ota) != OTA_OK) {
        return OTA_REASON_FLASH_FAILED;
    }
    stage_start(ota);
    return OTA_REASON_OK;
}

/* The map that is there stays good as long as the manifest that comes is the one that it was made for. */
static void take_manifest(struct ota *ota, uint8_t byte)
{
    if (ota->manifest[ota->offer_next] != byte) {
        ota->manifest[ota->offer_next] = byte;
        ota->map_valid = false;
    }
}

static uint8_t take(struct ota *ota, const uint8_t *part, uint16_t count)
{
    uint8_t why;

    while (ota->offer_next < OTA_MANIFEST_BYTES) {
        if (count == 0U) {
            return OTA_REASON_OK;
        }
        count--;
        take_manifest(ota, *part++);
        if (++ota->offer_next == OTA_MANIFEST_BYTES) {
            why = judge(ota);
            if (why != OTA_REASON_OK) {
                return why;
            }
            if (scheme_start(ota) != OTA_OK) {
                return OTA_REASON_BAD_SIGNATURE;
            }
        }
    }
    if (count > total_of(ota) - ota->offer_next) {
        return OTA_REASON_BAD_MANIFEST;
    }
    scheme_take(ota, part, count);
    ota->offer_next = (uint16_t)(ota->offer_next + count);
    return ota->offer_next == total_of(ota) ? accept(ota) : (uint8_t)OTA_REASON_OK;
}

uint8_t offer_take(struct ota *ota, uint16_t offset, const uint8_t *part, uint16_t count)
{
    uint16_t session = get_u16(ota->frame + OTA_HEADER_SESSION);
    uint8_t why;

    if (ota->boot == OTA_BOOT_STATE_TRIAL) {
        return OTA_REASON_TRIAL_PENDING;
    }
    if (ota->boot == OTA_BOOT_STATE_SWAPPING) {
        return OTA_REASON_FLASH_FAILED;
    }
    if (offset == 0U && (session != ota->session || ota->transfer == OTA_TRANSFER_STATE_NONE)) {
        ota->session = session;
        ota->offer_next = 0;
        ota->transfer = OTA_TRANSFER_STATE_OFFERING;
    }
    if (session != ota->session || ota->transfer != OTA_TRANSFER_STATE_OFFERING || offset != ota->offer_next) {
        return OTA_REASON_OK;
    }
    why = take(ota, part, count);
    if (why != OTA_REASON_OK) {
        ota->transfer = OTA_TRANSFER_STATE_NONE;
        ota->offer_next = 0;
        ota->map_valid = false;
    }
    return why;
}
