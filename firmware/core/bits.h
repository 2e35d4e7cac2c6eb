/* bits.h: bit maps. */
#ifndef OTA_BITS_H
#define OTA_BITS_H

#include <stdbool.h>
#include <stdint.h>

/* A function that is called even where the compiler would rather have it in place: it takes less flash so. */
#define OTA_CALLED __attribute__((noinline))

static inline uint8_t bit_mask(uint16_t index)
{
    return (uint8_t)(1U << (index & 7U));
}

static inline bool bit_get(const uint8_t *map, uint16_t index)
{
    return (map[index >> 3] & bit_mask(index)) != 0U;
}

static inline void bit_set(uint8_t *map, uint16_t index)
{
    map[index >> 3] = (uint8_t)(map[index >> 3] | bit_mask(index));
}

static inline void bit_clear(uint8_t *map, uint16_t index)
{
    map[index >> 3] = (uint8_t)(map[index >> 3] & (uint8_t)~bit_mask(index));
}

#endif
