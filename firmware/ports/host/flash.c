/* flash.c: the cells, and what erase and program do to them, whole or torn. */
#include "flash.h"

#include <stdio.h>
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

static size_t place(const struct flash *flash, uint32_t page, uint32_t offset)
{
    return (size_t)page * flash->page_bytes + offset;
}

static uint32_t unit_bytes(const struct flash *flash, uint32_t page)
{
    return page >= flash->record_page ? flash->record_bytes : flash->write_bytes;
}

static bool all_ones(const uint8_t *bytes, uint32_t count)
{
    uint32_t i;

    for (i = 0; i < count; i++) {
        if (bytes[i] != 0xFF)
            return false;
    }
    return true;
}

/* --- rules --------------------------------------------------------------------------------------------------- */

static bool broken(struct flash *flash, const char *text, uint32_t page, uint32_t offset, uint32_t count)
{
    (void)snprintf(flash->rule, sizeof flash->rule, "%s: page %u, offset %u, %u bytes", text, (unsigned)page,
                   (unsigned)offset, (unsigned)count);
    return false;
}

static bool inside(struct flash *flash, const char *what, uint32_t page, uint32_t offset, uint32_t count)
{
    if (page >= flash->pages)
        return broken(flash, what, page, offset, count);
    if (offset > flash->page_bytes || count > flash->page_bytes - offset)
        return broken(flash, "access across the end of a page", page, offset, count);
    return true;
}

bool flash_may_read(struct flash *flash, uint32_t page, uint32_t offset, uint32_t count)
{
    return inside(flash, "read outside the flash", page, offset, count);
}

bool flash_may_erase(struct flash *flash, uint32_t page)
{
    return inside(flash, "erase outside the flash", page, 0, flash->page_bytes);
}

static bool weak_free(const struct flash *flash, size_t at, uint32_t count)
{
    uint32_t i;

    for (i = 0; i < count; i++) {
        if (flash->weak[at + i] != 0)
            return false;
    }
    return true;
}

/* A data unit is programmed once after an erase: it must be blank, and surely so. */
static bool surely_blank(const struct flash *flash, uint32_t page, size_t at, uint32_t unit)
{
    return all_ones(flash->value + at, unit) && (flash->page_weak[page] == 0 || weak_free(flash, at, unit));
}

static bool may_program_data(struct flash *flash, uint32_t page, uint32_t offset, const uint8_t *from,
                             uint32_t count)
{
    uint32_t unit = flash->write_bytes;
    uint32_t i;

    for (i = 0; i < count; i += unit) {
        size_t at = place(flash, page, offset + i);

        if (all_ones(from + i, unit))
            continue;
        if (!surely_blank(flash, page, at, unit))
            return broken(flash, "data unit programmed that was not erased", page, offset + i, unit);
    }
    return true;
}

/* The record area may be programmed again, with bits that fall or stay. A weak bit left alone breaks no rule. */
static bool may_program_record(struct flash *flash, uint32_t page, uint32_t offset, const uint8_t *from,
                               uint32_t count)
{
    uint32_t unit = flash->record_bytes;
    uint32_t i;

    for (i = 0; i < count; i++) {
        size_t at = place(flash, page, offset + i);
        uint8_t firm_zeros = (uint8_t)(~flash->value[at] & ~flash->weak[at] & 0xFF);

        if ((from[i] & firm_zeros) != 0 && !all_ones(from + i - i % unit, unit))
            return broken(flash, "record unit programmed with a bit that would have to rise", page, offset + i, 1);
    }
    return true;
}

bool flash_may_program(struct flash *flash, uint32_t page, uint32_t offset, const uint8_t *from, uint32_t count)
{
    uint32_t unit = unit_bytes(flash, page);

    if (!inside(flash, "program outside the flash", page, offset, count))
        return false;
    if (count > flash->chunk_bytes)
        return broken(flash, "program larger than a chunk", page, offset, count);
    if (offset % unit != 0)
        return broken(flash, "program at an unaligned offset", page, offset, count);
    if (count % unit != 0)
        return broken(flash, "program of an unaligned count", page, offset, count);
    if (page >= flash->record_page)
        return may_program_record(flash, page, offset, from, count);
    return may_program_data(flash, page, offset, from, count);
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

void flash_read(struct flash *flash, uint32_t page, uint32_t offset, uint8_t *to, uint32_t count)
{
    size_t at = place(flash, page, offset);
    uint32_t i;

    memcpy(to, flash->value + at, count);
    if (flash->page_weak[page] != 0) {
        for (i = 0; i < count; i++) {
            if (flash->weak[at + i] != 0)
                to[i] ^= (uint8_t)(flash->weak[at + i] & draw(flash, at + i, at));
        }
        (void)random_next(&flash->flicker); /* the next read of these cells draws anew */
    }
    if (flash->wrong_mask != 0)
        turn_over_once(flash, at, to, count);
}

/* --- erasing and programming ---------------------------------------------------------------------------------- */

static void erase_whole(struct flash *flash, uint32_t page)
{
    size_t at = place(flash, page, 0);

    memset(flash->value + at, 0xFF, flash->page_bytes);
    if (flash->page_weak[page] != 0)
        memset(flash->weak + at, 0, flash->page_bytes);
    flash->page_weak[page] = 0;
}

/* Every bit that is not a firm one would have changed, or might have: zero or one from now on. */
static void erase_torn(struct flash *flash, uint32_t page)
{
    size_t at = place(flash, page, 0);
    size_t end = at + flash->page_bytes;

    for (; at < end; at++) {
        flash->weak[at] = (uint8_t)(flash->weak[at] | (uint8_t)~flash->value[at]);
        flash->value[at] = (uint8_t)~flash->weak[at];
    }
    flash->page_weak[page] = 1;
}

bool flash_erase(struct flash *flash, uint32_t page, enum board_cut how)
{
    if (how == BOARD_CUT_BEFORE)
        return true;
    flash->erases[page]++;
    if (flash->wear[page] == BOARD_WEAR_ERASE_FAILS)
        return false;
    if (how == BOARD_CUT_TORN)
        erase_torn(flash, page);
    else
        erase_whole(flash, page);
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

void flash_program(struct flash *flash, uint32_t page, uint32_t offset, const uint8_t *from, uint32_t count,
                   enum board_cut how)
{
    size_t at = place(flash, page, offset);
    bool stuck = flash->wear[page] == BOARD_WEAR_STUCK_ONES;
    uint32_t i;

    if (how == BOARD_CUT_BEFORE)
        return;
    for (i = 0; i < count; i++) {
        if (from[i] == 0xFF)
            continue;
        if (!stuck)
            program_byte(flash, at + i, from[i], how == BOARD_CUT_TORN);
        stuck = false; /* one worn byte in a call is enough to be found, or missed, by the reader */
    }
    if (how == BOARD_CUT_TORN)
        flash->page_weak[page] = 1;
}

uint32_t flash_units(const struct flash *flash, uint32_t page, const uint8_t *from, uint32_t count)
{
    uint32_t unit = unit_bytes(flash, page);
    uint32_t units = 0;
    uint32_t i;

    for (i = 0; i < count; i += unit)
        units += all_ones(from + i, unit) ? 0U : 1U;
    return units;
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
    const uint8_t *mask = flash->weak + place(flash, page, 0);

    return mask[0] != 0 || memcmp(mask, mask + 1, flash->page_bytes - 1U) != 0; /* an explorer loads thousands a second */
}

static void find_weak_pages(struct flash *flash)
{
    uint32_t page;

    for (page = 0; page < flash->pages; page++)
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
