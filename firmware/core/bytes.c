/* bytes.c: numbers as they travel, little-endian. Called, not inlined: on AVR a call costs 4 bytes. */
#include "state.h"

uint16_t get_u16(const uint8_t *from)
{
    return (uint16_t)(from[0] | ((uint16_t)from[1] << 8));
}

uint32_t get_u32(const uint8_t *from)
{
    return get_u16(from) | ((uint32_t)get_u16(from + 2) << 16);
}

void put_u16(uint8_t *to, uint16_t value)
{
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
}

void put_u32(uint8_t *to, uint32_t value)
{
    put_u16(to, (uint16_t)value);
    put_u16(to + 2, (uint16_t)(value >> 16));
}

OTA_CALLED void copy_u32(uint8_t *to, const uint8_t *from)
{
    for (uint8_t i = 0; i < 4U; i++) {
        *to++ = *from++;
    }
}
