#include "gaps.h"

#include "bits.h"

/* The first place from `place` on that is held, or is not; the end of the image if there is none. Most of the map is
 * one long gap: whole bytes of it are passed over. */
static uint16_t next_of(const struct ota *ota, uint16_t place, bool held)
{
    uint8_t other = held ? 0x00 : 0xFF;

    while (place < ota->places && bit_get(ota->held, place) != held) {
        place = (place & 7U) == 0U && ota->held[place >> 3] == other ? (uint16_t)(place + 8U) : (uint16_t)(place + 1U);
    }
    return place;
}

uint16_t gaps_write(const struct ota *ota, uint16_t start, uint8_t *gaps, uint16_t room, bool *more)
{
    uint16_t place = start > ota->front ? start : ota->front;
    uint16_t used = 0;
    uint16_t first;

    *more = false;
    for (;;) {
        first = next_of(ota, place, false);
        if (first >= ota->places) {
            return used;
        }
        if (room < used + OTA_GAP_BYTES) {
            *more = true;
            return used;
        }
        place = next_of(ota, first, true);
        put_u16(gaps + used + OTA_GAP_PLACE, first);
        put_u16(gaps + used + OTA_GAP_COUNT, (uint16_t)(place - first));
        used = (uint16_t)(used + OTA_GAP_BYTES);
    }
}
