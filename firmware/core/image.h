/* image.h: what lies in a slot: spans of whole pages that end in a trailer. */
#ifndef OTA_IMAGE_H
#define OTA_IMAGE_H

#include "state.h"

/* Pages of the one slot of single-slot mode: both slots and the spare page between them. */
#define OTA_SINGLE_PAGES ((uint16_t)(2U * OTA_SLOT_PAGES + 1U))

/* True if flash holds exactly these bytes. */
bool flash_equals(uint16_t page, uint16_t offset, const uint8_t *bytes, uint16_t count);

/* True if `image` lies whole at `page`: the CRC over its span less the last four bytes is the image's. */
bool image_check(struct ota *ota, uint16_t page, const uint8_t image[IMAGE_BYTES]);

/* Reads bytes of the trailer, from the field at `field` on, of an image of `pages` pages in the primary slot. */
void image_trailer(uint16_t pages, uint8_t field, uint8_t *to, uint8_t count);

/* The counter in the trailer of the image that image_check found whole just now: read with the rest, and so checked. */
static inline const uint8_t *image_checked_counter(const struct ota *ota)
{
    return ota->scratch + OTA_SCRATCH_BYTES - OTA_TRAILER_BYTES + OTA_TRAILER_COUNTER;
}

/* Looks for a whole image in the primary slot by its trailer alone; false, and pages 0: there is none. */
bool image_find(struct ota *ota, uint8_t image[IMAGE_BYTES]);

#endif
