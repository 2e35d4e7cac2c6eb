#include "record.h"

#include "crc32.h"
#include "image.h"

/* Places in the body. */
#define BODY_GENERATION 0
#define BODY_KIND 2
#define BODY_BASE 4
#define BODY_OLD_PAGES 6
#define BODY_OLD_CRC 8
#define BODY_NEW_PAGES 12
#define BODY_NEW_CRC 14
#define BODY_COUNTER 18
#define BODY_CRC 28

static uint16_t unit_page(uint8_t unit)
{
    return (uint16_t)(OTA_RECORD_PAGE + (uint16_t)(unit * OTA_RECORD_PAGES));
}

static uint32_t body_crc(const uint8_t *body)
{
    return crc32_end(crc32_add(crc32_start(), body, BODY_CRC));
}

static void body_put(const struct ota_record *record, uint8_t *body)
{
    for (uint8_t i = 0; i < RECORD_BODY_BYTES; i++) {
        body[i] = 0xFF;
    }
    put_u16(body + BODY_GENERATION, record->generation);
    body[BODY_KIND] = record->kind;
    put_u16(body + BODY_BASE, record->base);
    put_u16(body + BODY_OLD_PAGES, record->old_image.pages);
    put_u32(body + BODY_OLD_CRC, record->old_image.crc);
    put_u16(body + BODY_NEW_PAGES, record->new_image.pages);
    put_u32(body + BODY_NEW_CRC, record->new_image.crc);
    put_u32(body + BODY_COUNTER, record->counter);
    put_u32(body + BODY_CRC, body_crc(body));
}

static void body_get(struct ota_record *record, const uint8_t *body)
{
    record->generation = get_u16(body + BODY_GENERATION);
    record->kind = body[BODY_KIND];
    record->base = get_u16(body + BODY_BASE);
    record->old_image.pages = get_u16(body + BODY_OLD_PAGES);
    record->old_image.crc = get_u32(body + BODY_OLD_CRC);
    record->new_image.pages = get_u16(body + BODY_NEW_PAGES);
    record->new_image.crc = get_u32(body + BODY_NEW_CRC);
    record->counter = get_u32(body + BODY_COUNTER);
}

/* Where a mark lies: page and offset. Marks do not cross pages, since 48 and page sizes are multiples of a mark. */
static uint16_t mark_place(uint8_t unit, uint16_t mark, uint16_t *offset)
{
    uint16_t at = (uint16_t)(RECORD_MARKS_OFFSET + mark * OTA_MARK_BYTES);

    *offset = (uint16_t)(at % OTA_PAGE_BYTES);
    return (uint16_t)(unit_page(unit) + at / OTA_PAGE_BYTES);
}

static bool marked(uint8_t unit, uint16_t mark)
{
    uint16_t offset;
    uint16_t page = mark_place(unit, mark, &offset);
    uint8_t byte;

    port_read(page, offset, &byte, 1);
    return byte == 0U;
}

static enum ota_result put_mark(uint8_t unit, uint16_t mark)
{
    static OTA_ROM uint8_t cleared[OTA_MARK_BYTES_MAX] = {0};
    uint16_t offset;
    uint16_t page = mark_place(unit, mark, &offset);

    return port_program(page, offset, cleared, OTA_MARK_BYTES);
}

bool record_load(struct ota *ota)
{
    uint8_t body[RECORD_BODY_BYTES];

    ota->record.generation = 0;
    ota->record.kind = RECORD_IDLE;
    ota->record_unit = 1;
    for (uint8_t unit = 0; unit < 2U; unit++) {
        port_read(unit_page(unit), 0, body, RECORD_BODY_BYTES);
        if (body_crc(body) == get_u32(body + BODY_CRC) && get_u16(body + BODY_GENERATION) > ota->record.generation &&
            marked(unit, MARK_SEAL)) {
            body_get(&ota->record, body);
            ota->record_unit = unit;
        }
    }
    return ota->record.generation != 0U;
}

static enum ota_result put_record(const struct ota_record *record, uint8_t unit)
{
    uint8_t body[RECORD_BODY_BYTES];

    body_put(record, body);
    if (port_program(unit_page(unit), 0, body, RECORD_BODY_BYTES) != OTA_OK ||
        !flash_equals(unit_page(unit), 0, body, RECORD_BODY_BYTES)) {
        return OTA_FAILED;
    }
    return put_mark(unit, MARK_SEAL);
}

enum ota_result record_refresh(struct ota *ota)
{
    return put_record(&ota->record, ota->record_unit);
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
    port_feed();
    return OTA_OK;
}

enum ota_result record_write(struct ota *ota, enum record_kind kind, struct ota_image old_image,
                             struct ota_image new_image, uint16_t base)
{
    struct ota_record next = ota->record;

    next.generation++;
    next.kind = (uint8_t)kind;
    next.old_image = old_image;
    next.new_image = new_image;
    next.base = base;
    if (record_erase_other(ota) != OTA_OK || put_record(&next, ota->record_unit ^ 1U) != OTA_OK) {
        return OTA_FAILED;
    }
    ota->record = next;
    ota->record_unit ^= 1U;
    ota->trials = 0;
    return OTA_OK;
}

bool record_marked(const struct ota *ota, uint16_t mark)
{
    return marked(ota->record_unit, mark);
}

enum ota_result record_mark(const struct ota *ota, uint16_t mark)
{
    return put_mark(ota->record_unit, mark);
}
