#include "sha256.h"

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
    for (uint8_t i = 0; i < 8U; i++) {
        state[i] = OTA_ROM_U32(&first_state[i]);
    }
}

static uint32_t rotate(uint32_t x, uint8_t by)
{
    return (x >> by) | (x << (32U - by));
}

/* One step of the message schedule, in place in a ring of 16 words. */
static void schedule(uint32_t w[16], uint8_t i)
{
    uint32_t a = w[(i + 1U) & 15U];
    uint32_t b = w[(i + 14U) & 15U];

    w[i & 15U] += (rotate(a, 7) ^ rotate(a, 18) ^ (a >> 3)) + w[(i + 9U) & 15U] +
                  (rotate(b, 17) ^ rotate(b, 19) ^ (b >> 10));
}

static void step(uint32_t v[8], uint32_t word)
{
    uint32_t e = v[4];
    uint32_t a = v[0];
    uint32_t t1 = v[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & v[5]) ^ (~e & v[6])) + word;
    uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));

    for (uint8_t i = 7; i > 0U; i--) {
        v[i] = v[i - 1U];
    }
    v[4] += t1;
    v[0] = t1 + t2;
}

void sha256_block(uint32_t state[8], const uint8_t block[SHA256_BLOCK_BYTES])
{
    uint32_t w[16];
    uint32_t v[8];

    OTA_CHARGE_SHA(1);
    for (uint8_t i = 0; i < 16U; i++, block += 4) {
        w[i] = ((uint32_t)block[0] << 24) | ((uint32_t)block[1] << 16) | ((uint32_t)block[2] << 8) | block[3];
    }
    for (uint8_t i = 0; i < 8U; i++) {
        v[i] = state[i];
    }
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

    for (uint8_t i = 0; i < 4U; i++) {
        last[63U - i] = (uint8_t)(bits >> (8U * i));
    }
    sha256_block(state, last);
    for (uint8_t i = 0; i < SHA256_BYTES; i++) {
        digest[i] = (uint8_t)(state[i >> 2] >> (24U - 8U * (i & 3U)));
    }
}
