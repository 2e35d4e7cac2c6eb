#include "crc32.h"

#include "port_config.h"

/* Four bits at a time: a table of 64 bytes, a quarter of the time of the bitwise form. */
static OTA_ROM uint32_t nibbles[16] = {
    0x00000000UL, 0x1DB71064UL, 0x3B6E20C8UL, 0x26D930ACUL, 0x76DC4190UL, 0x6B6B51F4UL, 0x4DB26158UL, 0x5005713CUL,
    0xEDB88320UL, 0xF00F9344UL, 0xD6D6A3E8UL, 0xCB61B38CUL, 0x9B64C2B0UL, 0x86D3D2D4UL, 0xA00AE278UL, 0xBDBDF21CUL,
};

uint32_t crc32_add(uint32_t crc, const uint8_t *bytes, uint16_t count)
{
    OTA_CHARGE_CRC(count);
    for (uint16_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        crc = (crc >> 4) ^ OTA_ROM_U32(&nibbles[crc & 15U]);
        crc = (crc >> 4) ^ OTA_ROM_U32(&nibbles[crc & 15U]);
    }
    return crc;
}
