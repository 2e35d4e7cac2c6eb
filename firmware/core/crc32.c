#include "crc32.h"

#include "messages.h"
#include "port_config.h"

#define POLYNOMIAL 0xEDB88320UL

/* Bit by bit: the smallest form, and at 115,200 baud fast enough for a CPU of 8 MHz. */
uint32_t crc32_add(uint32_t crc, const uint8_t *bytes, uint16_t count)
{
    OTA_CHARGE_CRC(count);
    for (; count > 0U; count--) {
        crc ^= *bytes++;
        for (uint8_t bit = 0; bit < 8U; bit++) {
            bool odd = (crc & 1U) != 0U;

            crc >>= 1;
            if (odd) {
                crc ^= POLYNOMIAL;
            }
        }
    }
    return crc;
}

bool crc32_right(const uint8_t *bytes, uint16_t count)
{
    return crc32_add(crc32_start(), bytes, count) == CRC32_RIGHT;
}

void crc32_append(uint8_t *bytes, uint16_t count)
{
    put_u32(bytes + count, crc32_end(crc32_add(crc32_start(), bytes, count)));
}
