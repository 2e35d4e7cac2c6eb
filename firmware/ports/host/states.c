#include "states.h"

#include <stdlib.h>
#include <string.h>

#include "random.h"

static bool is_blank(const uint8_t *bytes, size_t count, uint8_t blank)
{
    size_t i;

    for (i = 0; i < count; i++) {
        if (bytes[i] != blank)
            return false;
    }
    return true;
}

static size_t page_bytes(const struct states *states)
{
    return states->flash->page_bytes;
}

bool states_init(struct states *states, struct flash *flash, const uint16_t *pages, size_t count)
{
    uint32_t i;

    memset(states, 0, sizeof *states);
    states->flash = flash;
    states->count = (uint32_t)count;
    states->pages = calloc(count, sizeof *states->pages);
    states->kept_at = malloc(flash->pages * sizeof *states->kept_at);
    states->row = calloc(count + 1U, sizeof *states->row);
    states->dirty = calloc(count, sizeof *states->dirty);
    states->cells = malloc(2U * page_bytes(states));
    if (states->pages == NULL || states->kept_at == NULL || states->row == NULL || states->dirty == NULL ||
        states->cells == NULL || !numbered_init(&states->contents, 2U * page_bytes(states)) ||
        !numbered_init(&states->rows, (count + 1U) * sizeof *states->row))
        return false;
    for (i = 0; i < flash->pages; i++)
        states->kept_at[i] = NUMBERED_NONE;
    for (i = 0; i < states->count; i++) {
        states->pages[i] = pages[i];
        states->kept_at[pages[i]] = i;
    }
    states_look_all(states);
    return !states->fails;
}

void states_free(struct states *states)
{
    free(states->pages);
    free(states->kept_at);
    free(states->row);
    free(states->dirty);
    free(states->cells);
    numbered_free(&states->contents);
    numbered_free(&states->rows);
}

bool states_has(const struct states *states, uint32_t page)
{
    return states->kept_at[page] != NUMBERED_NONE;
}

void states_touch(struct states *states, uint32_t page)
{
    states->dirty[states->kept_at[page]] = true;
}

void states_look(struct states *states, uint32_t page)
{
    uint32_t at = states->kept_at[page];
    uint64_t hash;

    flash_get_page(states->flash, page, states->cells);
    hash = numbered_hash(states->cells, (states->flash->page_weak[page] != 0 ? 2U : 1U) * page_bytes(states));
    if (states->flash->page_weak[page] != 0 && is_blank(states->cells + page_bytes(states), page_bytes(states), 0))
        hash = numbered_hash(states->cells, page_bytes(states)); /* as a page whose weak bits were never looked for */
    states->row[at] = numbered_put(&states->contents, states->cells, hash);
    states->fails |= states->row[at] == NUMBERED_NONE;
    states->dirty[at] = false;
}

void states_look_all(struct states *states)
{
    uint32_t i;

    for (i = 0; i < states->count; i++)
        states_look(states, states->pages[i]);
}

void states_wipe_others(struct states *states)
{
    uint32_t page;

    memset(states->cells, 0xFF, page_bytes(states));
    memset(states->cells + page_bytes(states), 0, page_bytes(states));
    for (page = 0; page < states->flash->pages; page++) {
        if (!states_has(states, page))
            flash_set_page(states->flash, page, states->cells);
    }
}

static uint64_t row_hash(const struct states *states)
{
    uint64_t hash = states->row[states->count];
    uint32_t i;

    for (i = 0; i < states->count; i++)
        hash = random_mix(hash + states->contents.hashes[states->row[i]]);
    return hash;
}

uint32_t states_put(struct states *states)
{
    uint32_t number;
    uint32_t i;

    for (i = 0; i < states->count; i++) {
        if (states->dirty[i])
            states_look(states, states->pages[i]);
    }
    states->row[states->count] = states->flash->old_erases;
    if (states->fails)
        return 0;
    number = numbered_put(&states->rows, states->row, row_hash(states));
    states->fails |= number == NUMBERED_NONE;
    return number;
}

void states_set(struct states *states, uint32_t state)
{
    const uint32_t *row = numbered_item(&states->rows, state);
    uint32_t i;

    if (states->fails)
        return;
    for (i = 0; i < states->count; i++) {
        if (row[i] == states->row[i] && !states->dirty[i])
            continue;
        flash_set_page(states->flash, states->pages[i], numbered_item(&states->contents, row[i]));
        states->row[i] = row[i];
        states->dirty[i] = false;
    }
    states->flash->old_erases = row[states->count];
}

uint16_t states_wear(const struct states *states, uint8_t *wear)
{
    uint16_t most = 0;
    uint32_t i;

    for (i = 0; i < states->count; i++) {
        uint32_t erases = states->flash->erases[states->pages[i]];

        wear[i] = erases < UINT8_MAX ? (uint8_t)erases : UINT8_MAX;
        most = wear[i] > most ? wear[i] : most;
    }
    return most;
}

void states_set_wear(struct states *states, const uint8_t *wear)
{
    uint32_t i;

    for (i = 0; i < states->count; i++)
        states->flash->erases[states->pages[i]] = wear[i];
}

void states_cells(const struct states *states, uint32_t state, uint8_t *values, uint8_t *weak)
{
    const uint32_t *row = numbered_item(&states->rows, state);
    size_t bytes = page_bytes(states);
    uint32_t i;

    for (i = 0; i < states->count; i++) {
        const uint8_t *cells = numbered_item(&states->contents, row[i]);

        memcpy(values + i * bytes, cells, bytes);
        memcpy(weak + i * bytes, cells + bytes, bytes);
    }
}

bool states_is_weak(const struct states *states, uint32_t state)
{
    const uint32_t *row = numbered_item(&states->rows, state);
    size_t bytes = page_bytes(states);
    uint32_t i;

    for (i = 0; i < states->count; i++) {
        if (!is_blank((const uint8_t *)numbered_item(&states->contents, row[i]) + bytes, bytes, 0))
            return true;
    }
    return false;
}
