/* crc32.h: CRC-32 of IEEE 802.3 (reflected 0xEDB88320, init and xor-out all ones), for frames, record and image.
 * One polynomial for all three, so that a chip carries one routine. */
#ifndef OTA_CRC32_H
#define OTA_CRC32_H

#include <stdbool.h>
#include <stdint.h>

/* What bytes and their CRC, little-endian behind them, leave in the register, whatever the bytes are. */
#define CRC32_RIGHT 0xDEBB20E3UL

/* Runs `count` bytes into a CRC begun with crc32_start; crc32_end gives the value that zlib's crc32 would. */
#define crc32_start() 0xFFFFFFFFUL
#define crc32_end(crc) (~(crc) & 0xFFFFFFFFUL)
uint32_t crc32_add(uint32_t crc, const uint8_t *bytes, uint16_t count);

/* True if the last four of `count` bytes are the CRC of those before them, as zlib's crc32 gives it. */
bool crc32_right(const uint8_t *bytes, uint16_t count);

/* Writes the CRC of `count` bytes behind them. */
void crc32_append(uint8_t *bytes, uint16_t count);

#endif
