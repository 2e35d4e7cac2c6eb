#include "crc32.h"

#include "port_config.h"

#define POLYNOMIAL 0xEDB88320UL

/* Bit by bit: the smallest form. */
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
