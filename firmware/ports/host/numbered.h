/* numbered.h: a set of byte strings of one length, each kept once and numbered in the order in which it came. Knows no board. */
#ifndef HOST_NUMBERED_H
#define HOST_NUMBERED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NUMBERED_NONE UINT32_MAX

struct numbered {
    size_t item_bytes;
    uint32_t count;
    uint32_t room;
    uint8_t *items;
    uint64_t *hashes;
    uint32_t *slots; /* open addressing: a number, or NUMBERED_NONE */
    uint32_t slot_count;
};

bool numbered_init(struct numbered *set, size_t item_bytes);
void numbered_free(struct numbered *set);

/* The number of `item`, which is new if it equals the count before; NUMBERED_NONE: out of memory. Equal items must come
 * with equal hashes; different ones may. */
uint32_t numbered_put(struct numbered *set, const void *item, uint64_t hash);

/* Valid until the next numbered_put. */
const void *numbered_item(const struct numbered *set, uint32_t number);

uint64_t numbered_hash(const void *bytes, size_t count);

#endif
