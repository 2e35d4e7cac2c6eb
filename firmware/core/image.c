#include "image.h"

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

/* The CRC of all but the last four bytes, against the name's; so it also says that these four are not looked at. */
bool image_check(uint16_t page, const uint8_t image[IMAGE_BYTES])
{
    uint32_t crc = crc32_start();
    uint8_t piece[16];

    for (uint16_t left = get_u16(image + IMAGE_PAGES); left > 0U; left--, page++) {
        for (uint16_t offset = 0; offset < OTA_PAGE_BYTES; offset = (uint16_t)(offset + sizeof piece)) {
            port_read(page, offset, piece, sizeof piece);
            if (left == 1U && offset == OTA_PAGE_BYTES - sizeof piece) {
                return crc32_end(crc32_add(crc, piece, sizeof piece - 4U)) == get_u32(image + IMAGE_CRC);
            }
            crc = crc32_add(crc, piece, sizeof piece);
        }
        port_feed();
    }
    return false;
}

void image_trailer(uint16_t pages, uint8_t field, uint8_t *to, uint8_t count)
{
    port_read((uint16_t)(OTA_PRIMARY_PAGE + pages - 1U), (uint16_t)(OTA_PAGE_BYTES - OTA_TRAILER_BYTES + field), to, count);
}

void image_find(uint8_t image[IMAGE_BYTES])
{
    uint8_t trailer[OTA_TRAILER_BYTES];

    for (uint16_t pages = OTA_SINGLE_PAGES; pages > 0U; pages--) {
        image_trailer(pages, 0, trailer, OTA_TRAILER_BYTES);
        put_u16(image + IMAGE_PAGES, pages);
        put_u32(image + IMAGE_CRC, get_u32(trailer + OTA_TRAILER_IMAGE_CRC));
        if (get_u32(trailer + OTA_TRAILER_MAGIC) == OTA_TRAILER_MAGIC_VALUE &&
            get_u16(trailer + OTA_TRAILER_PAGES) == pages && image_check(OTA_PRIMARY_PAGE, image)) {
            return;
        }
    }
    put_u16(image + IMAGE_PAGES, 0);
}
