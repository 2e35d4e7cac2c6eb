/* image.h: what lies in a slot: spans of whole pages that end in a trailer. */
#ifndef OTA_IMAGE_H
#define OTA_IMAGE_H

#include "state.h"

/* Pages of the one slot of single-slot mode: both slots and the spare page between them. */
#define OTA_SINGLE_PAGES ((uint16_t)(2U * OTA_SLOT_PAGES + 1U))
#define OTA_BOARD_BYTES 16
#define OTA_UID_BYTES 8

/* True if flash holds exactly these bytes. */
bool flash_equals(uint16_t page, uint16_t offset, const uint8_t *bytes, uint16_t count);

/* True if `image` lies whole at `page`: the CRC over its span less the last four bytes is the image's. */
bool image_check(uint16_t page, struct ota_image image);

/* Reads the trailer of an image of `pages` pages at `page`; true if it is one for this span and this board. */
bool image_trailer(uint16_t page, uint16_t pages, uint8_t trailer[OTA_TRAILER_BYTES]);

/* Looks for a whole image in the primary slot by its trailer alone; pages 0: there is none. */
struct ota_image image_find(void);

#endif
