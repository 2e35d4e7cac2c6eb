#include "record.h"

#include <string.h>

#include "crc32.h"
#include "image.h"

OTA_CALLED static uint16_t unit_page(uint8_t unit)
{
    return (uint16_t)(OTA_RECORD_PAGE + (unit != 0U ? OTA_RECORD_PAGES : 0U));
}

/* Where a mark of the standing record lies. Marks do not cross pages: 48 and page sizes are multiples of a mark. */
static uint16_t mark_place(const struct ota *ota, uint16_t mark, uint16_t *offset)
{
    uint16_t at = (uint16_t)(RECORD_MARKS_OFFSET + mark * OTA_MARK_BYTES);

    *offset = (uint16_t)(at % OTA_PAGE_BYTES);
    return (uint16_t)(unit_page(ota->record_unit) + at / OTA_PAGE_BYTES);
}

bool record_marked(struct ota *ota, uint16_t mark)
{
    uint16_t offset;
    uint16_t page = mark_place(ota, mark, &offset);
    uint8_t *byte = ota->scratch + RECORD_BODY_BYTES; /* record_load keeps a body before it */

    port_read(page, offset, byte, 1);
    return (*byte & (uint8_t)(*byte - 1U)) == 0U; /* a bit that sticks or is read wrong does not unset it */
}

enum ota_result record_mark(struct ota *ota, uint16_t mark)
{
    uint16_t offset;
    uint16_t page = mark_place(ota, mark, &offset);

    memset(ota->scratch, 0, OTA_MARK_BYTES);
    return port_program(page, offset, ota->scratch, OTA_MARK_BYTES);
}

/* No walk leaves its slot, and no image the flash. A record that says otherwise was written by no loader of this
 * geometry, whatever its CRC: following it would read and erase where there is nothing, or another's. */
OTA_CALLED static bool is_possible(const uint8_t *body)
{
    uint16_t old = get_u16(body + RECORD_OLD);
    uint16_t new = get_u16(body + RECORD_NEW);
    uint8_t kind = body[RECORD_KIND];

    if (kind == RECORD_APPLY || kind == RECORD_REVERT) {
        return old <= OTA_SLOT_PAGES && (uint16_t)(new - 1U) < OTA_SLOT_PAGES; /* something was swapped in */
    }
    return (kind >= RECORD_APPLY ? new : old) <= OTA_SINGLE_PAGES;
}

/* Once more where the CRC is wrong: a read may go wrong once, and the record before this one must not be taken for it. */
static bool read_body(const struct ota *ota, uint8_t *body)
{
    uint16_t page = unit_page(ota->record_unit);

    port_read(page, 0, body, RECORD_BODY_BYTES);
    if (crc32_right(body, RECORD_BODY_BYTES)) {
        return true;
    }
    port_read(page, 0, body, RECORD_BODY_BYTES);
    return crc32_right(body, RECORD_BODY_BYTES);
}

bool record_load(struct ota *ota)
{
    uint8_t *body = ota->scratch;
    uint8_t found = 1;

    for (ota->record_unit = 0; ota->record_unit < 2U; ota->record_unit++) {
        if (read_body(ota, body) && get_u16(body) > get_u16(ota->record) && is_possible(body) &&
            record_marked(ota, MARK_SEAL)) {
            memcpy(ota->record, body, RECORD_BODY_BYTES);
            found = ota->record_unit;
        }
    }
    ota->record_unit = found;
    return get_u16(ota->record) != 0U;
}

enum ota_result record_refresh(struct ota *ota)
{
    uint16_t page = unit_page(ota->record_unit);

    for (uint8_t tries = 2; tries != 0U; tries--) {
        if (port_program(page, 0, ota->record, RECORD_BODY_BYTES) == OTA_OK &&
            flash_equals(page, 0, ota->record, RECORD_BODY_BYTES) && record_mark(ota, MARK_SEAL) == OTA_OK) {
            return OTA_OK;
        }
    }
    ota->boot = OTA_BOOT_STATE_SWAPPING;
    return OTA_FAILED;
}

enum ota_result record_erase_other(const struct ota *ota)
{
    uint16_t page = unit_page(ota->record_unit ^ 1U);

    /* The page with the body first: a unit that is erased in part must not look like a record. */
    for (uint16_t i = 0; i < OTA_RECORD_PAGES; i++) {
        if (port_erase(page++) != OTA_OK) {
            return OTA_FAILED;
        }
    }
    return OTA_OK;
}

enum ota_result record_commit(struct ota *ota, enum record_kind kind, uint16_t base)
{
    enum ota_result erased = record_erase_other(ota);

    put_u16(ota->record, (uint16_t)(get_u16(ota->record) + 1U));
    ota->record[RECORD_KIND] = (uint8_t)kind;
    put_u16(ota->record + RECORD_BASE, base);
    crc32_append(ota->record, RECORD_CRC);
    ota->record_unit ^= 1U;
    ota->trials = 0;
    if (erased != OTA_OK) {
        ota->boot = OTA_BOOT_STATE_SWAPPING;
        return OTA_FAILED;
    }
    return record_refresh(ota);
}
