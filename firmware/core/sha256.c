#include "sha256.h"

#include <string.h>

#include "port_config.h"

static OTA_ROM uint32_t round_constants[64] = {
    0x428a2f98UL, 0x71374491UL, 0xb5c0fbcfUL, 0xe9b5dba5UL, 0x3956c25bUL, 0x59f111f1UL, 0x923f82a4UL, 0xab1c5ed5UL,
    0xd807aa98UL, 0x12835b01UL, 0x243185beUL, 0x550c7dc3UL, 0x72be5d74UL, 0x80deb1feUL, 0x9bdc06a7UL, 0xc19bf174UL,
    0xe49b69c1UL, 0xefbe4786UL, 0x0fc19dc6UL, 0x240ca1ccUL, 0x2de92c6fUL, 0x4a7484aaUL, 0x5cb0a9dcUL, 0x76f988daUL,
    0x983e5152UL, 0xa831c66dUL, 0xb00327c8UL, 0xbf597fc7UL, 0xc6e00bf3UL, 0xd5a79147UL, 0x06ca6351UL, 0x14292967UL,
    0x27b70a85UL, 0x2e1b2138UL, 0x4d2c6dfcUL, 0x53380d13UL, 0x650a7354UL, 0x766a0abbUL, 0x81c2c92eUL, 0x92722c85UL,
    0xa2bfe8a1UL, 0xa81a664bUL, 0xc24b8b70UL, 0xc76c51a3UL, 0xd192e819UL, 0xd6990624UL, 0xf40e3585UL, 0x106aa070UL,
    0x19a4c116UL, 0x1e376c08UL, 0x2748774cUL, 0x34b0bcb5UL, 0x391c0cb3UL, 0x4ed8aa4aUL, 0x5b9cca4fUL, 0x682e6ff3UL,
    0x748f82eeUL, 0x78a5636fUL, 0x84c87814UL, 0x8cc70208UL, 0x90befffaUL, 0xa4506cebUL, 0xbef9a3f7UL, 0xc67178f2UL,
};

static OTA_ROM uint32_t first_state[8] = {
    0x6a09e667UL, 0xbb67ae85UL, 0x3c6ef372UL, 0xa54ff53aUL, 0x510e527fUL, 0x9b05688cUL, 0x1f83d9abUL, 0x5be0cd19UL,
};

void sha256_start(uint32_t state[8])
{
    for (uint8_t i = 0; i < 8U * sizeof *state; i++) {
        ((uint8_t *)state)[i] = OTA_ROM_U8((const uint8_t *)first_state + i);
    }
}

/* A small CPU shifts by one bit at a time: there one loop for all rotations takes a fifth of the flash that each in place
 * would. Leftwards, by bytes first: that is where it is quick. On a larger one a rotation is one instruction. */
#if UINTPTR_MAX <= 0xFFFFU
__attribute__((noinline)) static uint32_t rotate(uint32_t x, uint8_t by)
{
    for (by = (uint8_t)(32U - by); by >= 8U; by = (uint8_t)(by - 8U)) {
        x = (x << 8) | (x >> 24);
    }
    for (; by > 0U; by--) {
        x = (x << 1) | (x >> 31);
    }
    return x;
}
#define SMALL __attribute__((noinline))
#else
static inline uint32_t rotate(uint32_t x, uint8_t by)
{
    return (x >> by) | (x << (32U - by));
}
#define SMALL
#endif

#define ALL 0xFFFFFFFFUL

/* Three rotations, each going on from the one before: x by a, by a + b, by a + b + c. What the first of them loses
 * is said by `mask`: a shift is a rotation that keeps less. */
SMALL static uint32_t rotations(uint32_t x, uint8_t a, uint8_t b, uint8_t c, uint32_t mask)
{
    uint32_t sum;

    x = rotate(x, a);
    sum = x & mask;
    x = rotate(x, b);
    sum ^= x;
    return sum ^ rotate(x, c);
}

/* One step of the message schedule, in place in a ring of 16 words. */
SMALL static void schedule(uint32_t w[16], uint8_t i)
{
    uint32_t sum = w[i & 15U];

    sum += rotations(w[(i + 1U) & 15U], 3, 4, 11, 0x1FFFFFFFUL);
    sum += w[(i + 9U) & 15U];
    sum += rotations(w[(i + 14U) & 15U], 10, 7, 2, 0x003FFFFFUL);
    w[i & 15U] = sum;
}

SMALL static void step(uint32_t v[8], uint32_t word)
{
    uint32_t x = v[4];

    word += v[7] + rotations(x, 6, 5, 14, ALL) + (((v[5] ^ v[6]) & x) ^ v[6]);
    memmove(v + 1, v, 7U * sizeof *v);
    v[4] += word;
    x = v[1];
    v[0] = word + rotations(x, 2, 11, 9, ALL) + ((x & (v[2] | v[3])) | (v[2] & v[3]));
}

void sha256_block(uint32_t state[8], const uint8_t block[SHA256_BLOCK_BYTES])
{
    uint32_t w[16];
    uint32_t v[8];

    OTA_CHARGE_SHA(1);
    for (uint8_t i = 0; i < SHA256_BLOCK_BYTES; i++) {
        ((uint8_t *)w)[i ^ SHA256_SWAPPED] = *block++;
    }
    memcpy(v, state, sizeof v);
    for (uint8_t i = 0; i < 64U; i++) {
        if (i >= 16U) {
            schedule(w, i);
        }
        step(v, w[i & 15U] + OTA_ROM_U32(&round_constants[i]));
    }
    for (uint8_t i = 0; i < 8U; i++) {
        state[i] += v[i];
    }
}

void sha256_end(uint32_t state[8], uint32_t blocks, uint8_t digest[SHA256_BYTES])
{
    uint8_t last[SHA256_BLOCK_BYTES] = {0x80};
    uint32_t bits = blocks << 9; /* up to 4 GiB / 8: longer than any slot */

    for (uint8_t i = 63; bits != 0U; bits >>= 8) {
        last[i--] = (uint8_t)bits;
    }
    sha256_block(state, last);
    for (uint8_t i = 0; i < SHA256_BYTES; i++) {
        digest[i] = sha256_byte(state, i);
    }
}
