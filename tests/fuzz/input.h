/* input.h: the bytes that a fuzzer drew, taken from the front; what is not there any more reads as zero. Knows no board. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct input {
    const uint8_t *at;
    size_t left;
};

static inline uint8_t take_u8(struct input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->at++;
}

static inline uint16_t take_u16(struct input *in)
{
    uint8_t low = take_u8(in);

    return (uint16_t)(low | (uint16_t)(take_u8(in) << 8));
}

static inline uint32_t take_below(struct input *in, uint32_t limit)
{
    return (limit > 256U ? take_u16(in) : take_u8(in)) % limit;
}

/* Up to `most` bytes; returns how many there were. */
static inline size_t take_bytes(struct input *in, uint8_t *to, size_t most)
{
    size_t count = in->left < most ? in->left : most;

    if (count > 0)
        memcpy(to, in->at, count);
    in->at += count;
    in->left -= count;
    return count;
}

#endif
