#include "image.h"

#include "crc32.h"

#define PIECE_BYTES 32

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

static uint32_t page_crc(uint32_t crc, uint16_t page, uint16_t count)
{
    uint8_t piece[PIECE_BYTES];

    for (uint16_t offset = 0; offset < count; offset = (uint16_t)(offset + PIECE_BYTES)) {
        uint16_t rest = (uint16_t)(count - offset);
        uint16_t bytes = rest < PIECE_BYTES ? rest : PIECE_BYTES;

        port_read(page, offset, piece, bytes);
        crc = crc32_add(crc, piece, bytes);
    }
    port_feed();
    return crc;
}

bool image_check(uint16_t page, struct ota_image image)
{
    uint32_t crc = crc32_start();

    if (image.pages == 0U) {
        return false;
    }
    for (uint16_t i = 1; i < image.pages; i++) {
        crc = page_crc(crc, page++, OTA_PAGE_BYTES);
    }
    crc = page_crc(crc, page, (uint16_t)(OTA_PAGE_BYTES - 4U));
    return crc32_end(crc) == image.crc;
}

static uint32_t board_crc(void)
{
    return crc32_end(crc32_add(crc32_start(), OTA_BOARD, OTA_BOARD_BYTES));
}

bool image_trailer(uint16_t page, uint16_t pages, uint8_t trailer[OTA_TRAILER_BYTES])
{
    port_read((uint16_t)(page + pages - 1U), (uint16_t)(OTA_PAGE_BYTES - OTA_TRAILER_BYTES), trailer, OTA_TRAILER_BYTES);
    return get_u32(trailer + OTA_TRAILER_MAGIC) == OTA_TRAILER_MAGIC_VALUE &&
           get_u16(trailer + OTA_TRAILER_PAGES) == pages && get_u32(trailer + OTA_TRAILER_BOARD_CRC) == board_crc();
}

struct ota_image image_find(void)
{
    struct ota_image image = {0, 0};
    uint8_t trailer[OTA_TRAILER_BYTES];

    for (uint16_t pages = 1; pages <= OTA_SINGLE_PAGES; pages++) {
        if (image_trailer(OTA_PRIMARY_PAGE, pages, trailer)) {
            image.pages = pages;
            image.crc = get_u32(trailer + OTA_TRAILER_IMAGE_CRC);
            if (image_check(OTA_PRIMARY_PAGE, image)) {
                return image;
            }
        }
    }
    image.pages = 0;
    return image;
}
