#include "image.h"

#include <string.h>

#include "crc32.h"

bool flash_equals(uint16_t page, uint16_t offset, const uint8_t *bytes, uint16_t count)
{
    uint8_t there;

    for (; count > 0U; count--) {
        port_read(page, offset++, &there, 1);
        if (there != *bytes++) {
            return false;
        }
    }
    return true;
}

/* The span with the CRC that the name gives in the place of its last four bytes; so it also says that these are not
 * looked at. */
bool image_check(struct ota *ota, uint16_t page, const uint8_t image[IMAGE_BYTES])
{
    uint32_t crc = crc32_start();

    for (uint16_t left = get_u16(image + IMAGE_PAGES); left > 0U; left--, page++) {
        for (uint16_t offset = 0; offset < OTA_PAGE_BYTES; offset = (uint16_t)(offset + OTA_SCRATCH_BYTES)) {
            port_read(page, offset, ota->scratch, OTA_SCRATCH_BYTES);
            if (left == 1U && offset == OTA_PAGE_BYTES - OTA_SCRATCH_BYTES) {
                copy_u32(ota->scratch + OTA_SCRATCH_BYTES - 4U, image + IMAGE_CRC);
            }
            crc = crc32_add(crc, ota->scratch, OTA_SCRATCH_BYTES);
        }
        port_feed();
    }
    return crc == CRC32_RIGHT;
}

OTA_CALLED void image_trailer(uint16_t pages, uint8_t field, uint8_t *to, uint8_t count)
{
    port_read((uint16_t)(OTA_PRIMARY_PAGE + pages - 1U), (uint16_t)(OTA_PAGE_BYTES - OTA_TRAILER_BYTES + field), to, count);
}

bool image_find(struct ota *ota, uint8_t image[IMAGE_BYTES])
{
    uint8_t *trailer = ota->scratch;

    for (uint16_t pages = OTA_SINGLE_PAGES; pages > 0U; pages--) {
        image_trailer(pages, 0, trailer, OTA_TRAILER_BYTES);
        put_u16(image + IMAGE_PAGES, pages);
        copy_u32(image + IMAGE_CRC, trailer + OTA_TRAILER_IMAGE_CRC);
        if (get_u32(trailer + OTA_TRAILER_MAGIC) == OTA_TRAILER_MAGIC_VALUE &&
            get_u16(trailer + OTA_TRAILER_PAGES) == pages && image_check(ota, OTA_PRIMARY_PAGE, image)) {
            return true;
        }
    }
    put_u16(image + IMAGE_PAGES, 0);
    return false;
}
