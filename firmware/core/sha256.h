/* sha256.h: SHA-256 (FIPS 180-4) of messages whose length is a multiple of 64 bytes, as spans and pages are. */
#ifndef OTA_SHA256_H
#define OTA_SHA256_H

#include <stdint.h>

#define SHA256_BLOCK_BYTES 64
#define SHA256_BYTES 32

/* The standard's words are big-endian, those of most chips are not: byte i of a message is byte i ^ SHA256_SWAPPED of its
 * words in memory. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define SHA256_SWAPPED 3U
#else
#define SHA256_SWAPPED 0U
#endif

/* Byte i of the digest that a state stands for. */
static inline uint8_t sha256_byte(const uint32_t state[8], uint8_t i)
{
    return ((const uint8_t *)state)[i ^ SHA256_SWAPPED];
}

void sha256_start(uint32_t state[8]);
void sha256_block(uint32_t state[8], const uint8_t block[SHA256_BLOCK_BYTES]);
/* Pads a message of `blocks` blocks and writes the digest, big-endian as the standard says. */
void sha256_end(uint32_t state[8], uint32_t blocks, uint8_t digest[SHA256_BYTES]);

#endif
