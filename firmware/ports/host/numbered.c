#include "numbered.h"

#include <stdlib.h>
#include <string.h>

#include "random.h"

#define FIRST_ROOM 64U

bool numbered_init(struct numbered *set, size_t item_bytes)
{
    memset(set, 0, sizeof *set);
    set->item_bytes = item_bytes;
    set->slot_count = 2U * FIRST_ROOM;
    set->slots = malloc(set->slot_count * sizeof *set->slots);
    if (set->slots == NULL)
        return false;
    memset(set->slots, 0xFF, set->slot_count * sizeof *set->slots);
    return true;
}

void numbered_free(struct numbered *set)
{
    free(set->items);
    free(set->hashes);
    free(set->slots);
    memset(set, 0, sizeof *set);
}

const void *numbered_item(const struct numbered *set, uint32_t number)
{
    return set->items + (size_t)number * set->item_bytes;
}

uint64_t numbered_hash(const void *bytes, size_t count)
{
    const uint8_t *from = bytes;
    uint64_t hash = count;

    while (count > 0) {
        uint64_t word = 0;
        size_t step = count < sizeof word ? count : sizeof word;

        memcpy(&word, from, step);
        hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 29;
        from += step;
        count -= step;
    }
    return random_mix(hash);
}

/* Where the item is, or where it has to go. */
static uint32_t find_slot(const struct numbered *set, const void *item, uint64_t hash)
{
    uint32_t slot = (uint32_t)hash & (set->slot_count - 1U);

    while (set->slots[slot] != NUMBERED_NONE) {
        uint32_t number = set->slots[slot];

        if (set->hashes[number] == hash && memcmp(numbered_item(set, number), item, set->item_bytes) == 0)
            break;
        slot = (slot + 1U) & (set->slot_count - 1U);
    }
    return slot;
}

static bool more_slots(struct numbered *set)
{
    uint32_t slot_count = 2U * set->slot_count;
    uint32_t *slots = malloc(slot_count * sizeof *slots);
    uint32_t number;

    if (slots == NULL)
        return false;
    memset(slots, 0xFF, slot_count * sizeof *slots);
    for (number = 0; number < set->count; number++) {
        uint32_t slot = (uint32_t)set->hashes[number] & (slot_count - 1U);

        while (slots[slot] != NUMBERED_NONE)
            slot = (slot + 1U) & (slot_count - 1U);
        slots[slot] = number;
    }
    free(set->slots);
    set->slots = slots;
    set->slot_count = slot_count;
    return true;
}

static bool more_room(struct numbered *set)
{
    uint32_t room = set->room == 0 ? FIRST_ROOM : 2U * set->room;
    uint8_t *items = realloc(set->items, room * set->item_bytes);
    uint64_t *hashes;

    if (items == NULL)
        return false;
    set->items = items;
    hashes = realloc(set->hashes, room * sizeof *hashes);
    if (hashes == NULL)
        return false;
    set->hashes = hashes;
    set->room = room;
    return true;
}

uint32_t numbered_put(struct numbered *set, const void *item, uint64_t hash)
{
    uint32_t slot = find_slot(set, item, hash);

    if (set->slots[slot] != NUMBERED_NONE)
        return set->slots[slot];
    if (set->count == set->room && !more_room(set))
        return NUMBERED_NONE;
    memcpy(set->items + (size_t)set->count * set->item_bytes, item, set->item_bytes);
    set->hashes[set->count] = hash;
    set->slots[slot] = set->count++;
    if (2U * set->count > set->slot_count && !more_slots(set))
        return NUMBERED_NONE;
    return set->count - 1U;
}
