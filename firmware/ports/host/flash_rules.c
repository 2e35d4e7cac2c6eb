/* flash_rules.c: what no caller may do to flash: each rule that would be broken is noted by name. */
#include <stdio.h>

#include "flash.h"

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
        size_t at = flash_place(flash, page, offset + i);

        if (all_ones(from + i, unit))
            continue;
        if (!surely_blank(flash, page, at, unit))
            return broken(flash, "data unit programmed that was not erased", page, offset + i, unit);
    }
    return true;
}

static bool all_zeros(const uint8_t *bytes, uint32_t count)
{
    uint32_t i;

    for (i = 0; i < count; i++) {
        if (bytes[i] != 0)
            return false;
    }
    return true;
}

static bool may_program_to_zero(struct flash *flash, uint32_t page, uint32_t offset, const uint8_t *from, uint32_t count)
{
    uint32_t unit = flash->record_bytes;
    uint32_t i;

    for (i = 0; i < count; i += unit) {
        if (all_ones(from + i, unit) || all_zeros(from + i, unit))
            continue;
        if (!surely_blank(flash, page, flash_place(flash, page, offset + i), unit))
            return broken(flash, "record unit programmed again, and not to zero", page, offset + i, unit);
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
        size_t at = flash_place(flash, page, offset + i);
        uint8_t firm_zeros = (uint8_t)(~flash->value[at] & ~flash->weak[at] & 0xFF);

        if ((from[i] & firm_zeros) != 0 && !all_ones(from + i - i % unit, unit))
            return broken(flash, "record unit programmed with a bit that would have to rise", page, offset + i, 1);
    }
    return flash->cells != BOARD_CELLS_TO_ZERO || may_program_to_zero(flash, page, offset, from, count);
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

uint32_t flash_units(const struct flash *flash, uint32_t page, const uint8_t *from, uint32_t count)
{
    uint32_t unit = unit_bytes(flash, page);
    uint32_t units = 0;
    uint32_t i;

    for (i = 0; i < count; i += unit)
        units += all_ones(from + i, unit) ? 0U : 1U;
    return units;
}
