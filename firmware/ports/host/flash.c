/* flash.c: the cells, and what erase and program do to them, whole or torn. Which of that is allowed says flash_rules.c. */
#include "flash.h"

#include <stdlib.h>
#include <string.h>

#include "random.h"

bool flash_init(struct flash *flash, const struct ota_geometry *geometry)
{
    memset(flash, 0, sizeof *flash);
    flash->pages = 2U * geometry->slot_pages + 1U + 2U * geometry->record_pages;
    flash->page_bytes = geometry->page_bytes;
    flash->record_page = 2U * geometry->slot_pages + 1U;
    flash->write_bytes = geometry->write_bytes;
    flash->record_bytes =
        geometry->mark_bytes < geometry->write_bytes ? geometry->mark_bytes : geometry->write_bytes;
    flash->chunk_bytes = geometry->chunk_bytes;
    flash->cells = geometry->record_cells;
    flash->value = malloc(flash_bytes(flash));
    flash->weak = calloc(flash_bytes(flash), 1);
    flash->page_weak = calloc(flash->pages, 1);
    flash->wear = calloc(flash->pages, 1);
    flash->erases = calloc(flash->pages, sizeof *flash->erases);
    if (flash->value == NULL || flash->weak == NULL || flash->page_weak == NULL || flash->wear == NULL ||
        flash->erases == NULL) {
        flash_free(flash);
        return false;
    }
    memset(flash->value, 0xFF, flash_bytes(flash));
    return true;
}

void flash_free(struct flash *flash)
{
    free(flash->value);
    free(flash->weak);
    free(flash->page_weak);
    free(flash->wear);
    free(flash->erases);
    memset(flash, 0, sizeof *flash);
}

size_t flash_bytes(const struct flash *flash)
{
    return (size_t)flash->pages * flash->page_bytes;
}

void flash_boot(struct flash *flash, enum board_weak reads_as, uint64_t draw)
{
    flash->reads_as = reads_as;
    flash->boot_draw = draw;
    flash->flicker = draw;
}

/* --- reading -------------------------------------------------------------------------------------------------- */

/* Which weak bits of the cell at `at` read otherwise than before the operation; `first`: where this read begins. */
static uint8_t draw(struct flash *flash, size_t at, size_t first)
{
    switch (flash->reads_as) {
    case BOARD_WEAK_OLD:
        return 0x00;
    case BOARD_WEAK_NEW:
        return 0xFF;
    case BOARD_WEAK_RANDOM:
        return (uint8_t)(random_mix(flash->boot_draw ^ random_mix(at + 1)) & 0xFF);
    case BOARD_WEAK_FLICKER:
        return (uint8_t)(random_next(&flash->flicker) & 0xFF);
    case BOARD_WEAK_WHOLE:
        return (uint8_t)((random_mix(flash->flicker ^ first) & 1) != 0 ? 0xFF : 0x00);
    }
    return 0x00;
}

static void turn_over_once(struct flash *flash, size_t at, uint8_t *to, uint32_t count)
{
    if (flash->wrong_at >= at && flash->wrong_at - at < count) {
        to[flash->wrong_at - at] ^= flash->wrong_mask;
        flash->wrong_mask = 0;
    }
}

static void stick(const struct flash *flash, uint8_t *byte)
{
    *byte = (uint8_t)((*byte & ~flash->stuck_mask) | (flash->stuck_value & flash->stuck_mask));
}

/* The next read of these cells draws anew. */
static void meet(struct flash *flash, const uint8_t *read, uint32_t count)
{
    uint32_t i;

    (void)random_next(&flash->flicker);
    flash->met++;
    for (i = 0; i < count; i++)
        flash->met_hash = (flash->met_hash ^ read[i]) * UINT64_C(0x100000001B3); /* FNV-1a, Fowler, Noll and Vo */
}

void flash_read(struct flash *flash, uint32_t page, uint32_t offset, uint8_t *to, uint32_t count)
{
    size_t at = flash_place(flash, page, offset);
    bool met = false;
    uint32_t i;

    memcpy(to, flash->value + at, count);
    if (flash->page_weak[page] != 0) {
        for (i = 0; i < count; i++) {
            if (flash->weak[at + i] == 0)
                continue;
            to[i] ^= (uint8_t)(flash->weak[at + i] & draw(flash, at + i, at));
            met = true;
        }
    }
    if (met)
        meet(flash, to, count);
    if (flash->stuck_mask != 0 && flash->stuck_at >= at && flash->stuck_at - at < count)
        stick(flash, to + (flash->stuck_at - at));
    if (flash->wrong_mask != 0)
        turn_over_once(flash, at, to, count);
}

/* --- erasing and programming ---------------------------------------------------------------------------------- */

static bool is_eeprom(const struct flash *flash, uint32_t page)
{
    return flash->cells == BOARD_CELLS_EEPROM && page >= flash->record_page;
}

uint32_t flash_erase_bytes(const struct flash *flash, uint32_t page)
{
    return is_eeprom(flash, page) ? 1U : flash->page_bytes;
}

uint32_t flash_program_bytes(const struct flash *flash, uint32_t page, uint32_t count)
{
    return is_eeprom(flash, page) ? flash->record_bytes : count;
}

static void erase_whole(struct flash *flash, const struct flash_work *work)
{
    size_t at = flash_place(flash, work->page, work->offset);

    memset(flash->value + at, 0xFF, work->count);
    if (flash->page_weak[work->page] != 0)
        memset(flash->weak + at, 0, work->count);
    if (work->count == flash->page_bytes)
        flash->page_weak[work->page] = 0;
}

/* Every bit that is not a firm one would have changed, or might have: zero or one from now on. */
static void erase_torn(struct flash *flash, const struct flash_work *work)
{
    size_t at = flash_place(flash, work->page, work->offset);
    size_t end = at + work->count;

    for (; at < end; at++) {
        flash->weak[at] = (uint8_t)(flash->weak[at] | (uint8_t)~flash->value[at]);
        flash->value[at] = (uint8_t)~flash->weak[at];
    }
    flash->page_weak[work->page] = 1;
}

static enum board_wear wear_of(struct flash *flash, uint32_t page)
{
    if (flash->old_wear != BOARD_WEAR_NONE && page == flash->old_page && flash->old_erases >= flash->old_end)
        return flash->old_wear;
    return (enum board_wear)flash->wear[page];
}

static void count_erase(struct flash *flash, const struct flash_work *work)
{
    if (work->offset != 0)
        return; /* a later byte of a page that is erased byte by byte */
    flash->erases[work->page]++;
    if (work->page == flash->old_page && flash->old_erases < flash->old_end)
        flash->old_erases++;
}

static bool erase(struct flash *flash, const struct flash_work *work, bool torn)
{
    bool fails = wear_of(flash, work->page) == BOARD_WEAR_ERASE_FAILS;

    count_erase(flash, work);
    if (fails)
        return false;
    if (torn)
        erase_torn(flash, work);
    else
        erase_whole(flash, work);
    return true;
}

static void program_byte(struct flash *flash, size_t at, uint8_t to, bool torn)
{
    uint8_t falls = (uint8_t)~to;

    if (!torn) {
        flash->value[at] = (uint8_t)(flash->value[at] & to);
        flash->weak[at] = (uint8_t)(flash->weak[at] & to);
        return;
    }
    falls = (uint8_t)(falls & (flash->value[at] | flash->weak[at]));
    flash->weak[at] = (uint8_t)(flash->weak[at] | falls);
    flash->value[at] = (uint8_t)(flash->value[at] | falls);
}

static void program(struct flash *flash, const struct flash_work *work, bool torn)
{
    size_t at = flash_place(flash, work->page, work->offset);
    bool stuck = wear_of(flash, work->page) == BOARD_WEAR_STUCK_ONES;
    uint32_t i;

    for (i = 0; i < work->count; i++) {
        if (work->from[i] == 0xFF)
            continue;
        if (!stuck)
            program_byte(flash, at + i, work->from[i], torn);
        stuck = false; /* one worn byte in a call is enough to be found, or missed, by the reader */
    }
    if (torn)
        flash->page_weak[work->page] = 1;
}

/* Each weak bit of what was torn stays as it is drawn now. */
static void settle(struct flash *flash, const struct flash_work *work)
{
    size_t at = flash_place(flash, work->page, work->offset);
    uint64_t draw = random_mix(flash->boot_draw ^ random_mix(at + 1));
    size_t end = at + work->count;

    for (; at < end; at++) {
        flash->value[at] = (uint8_t)(flash->value[at] ^ (flash->weak[at] & random_next(&draw)));
        flash->weak[at] = 0;
    }
}

bool flash_do(struct flash *flash, const struct flash_work *work, enum board_cut how)
{
    bool torn = how == BOARD_CUT_TORN || how == BOARD_CUT_HALF;
    bool done = true;

    if (how == BOARD_CUT_BEFORE)
        return true;
    if (work->from == NULL)
        done = erase(flash, work, torn);
    else
        program(flash, work, torn);
    if (how == BOARD_CUT_HALF && done)
        settle(flash, work);
    return done;
}

/* --- state ---------------------------------------------------------------------------------------------------- */

static bool any_weak(const struct flash *flash)
{
    return memchr(flash->page_weak, 1, flash->pages) != NULL;
}

size_t flash_state_bytes(const struct flash *flash)
{
    return 1U + 2U * flash_bytes(flash);
}

size_t flash_save(const struct flash *flash, uint8_t *to)
{
    size_t bytes = flash_bytes(flash);

    to[0] = any_weak(flash) ? 1 : 0;
    memcpy(to + 1, flash->value, bytes);
    if (to[0] != 0)
        memcpy(to + 1 + bytes, flash->weak, bytes);
    return 1U + (to[0] != 0 ? 2U : 1U) * bytes;
}

static bool any_weak_in(const struct flash *flash, uint32_t page)
{
    const uint8_t *mask = flash->weak + flash_place(flash, page, 0);

    return mask[0] != 0 || memcmp(mask, mask + 1, flash->page_bytes - 1U) != 0; /* an explorer loads thousands a second */
}

static void find_weak_pages(struct flash *flash)
{
    uint32_t page;

    for (page = 0; page < flash->pages; page++)
        flash->page_weak[page] = any_weak_in(flash, page) ? 1 : 0;
}

void flash_get_page(const struct flash *flash, uint32_t page, uint8_t *cells)
{
    memcpy(cells, flash->value + flash_place(flash, page, 0), flash->page_bytes);
    if (flash->page_weak[page] != 0)
        memcpy(cells + flash->page_bytes, flash->weak + flash_place(flash, page, 0), flash->page_bytes);
    else
        memset(cells + flash->page_bytes, 0, flash->page_bytes);
}

void flash_set_page(struct flash *flash, uint32_t page, const uint8_t *cells)
{
    memcpy(flash->value + flash_place(flash, page, 0), cells, flash->page_bytes);
    memcpy(flash->weak + flash_place(flash, page, 0), cells + flash->page_bytes, flash->page_bytes);
    flash->page_weak[page] = any_weak_in(flash, page) ? 1 : 0;
}

void flash_load(struct flash *flash, const uint8_t *from)
{
    size_t bytes = flash_bytes(flash);

    memcpy(flash->value, from + 1, bytes);
    if (from[0] != 0) {
        memcpy(flash->weak, from + 1 + bytes, bytes);
        find_weak_pages(flash);
    } else if (any_weak(flash)) {
        memset(flash->weak, 0, bytes);
        memset(flash->page_weak, 0, flash->pages);
    }
}
