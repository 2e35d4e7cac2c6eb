/* flash.h: NOR flash with the faults of real NOR flash: erase before program, bits that only fall, torn operations,
 * wear. Knows neither clock nor core. A caller asks flash_may_* first; they note the rule that would be broken.
 *
 * Two planes hold a cell: `value`, and `weak`, set where a torn operation left the bit undecided. A weak bit's value
 * is what it was before that operation; what it would have become is the opposite. */
#ifndef HOST_FLASH_H
#define HOST_FLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board.h"

/* One operation of the chip, as it can be cut: an erase of `count` bytes, or where `from` is not NULL a program. */
struct flash_work {
    uint32_t page;
    uint32_t offset;
    uint32_t count;
    const uint8_t *from;
};

struct flash {
    uint32_t pages;
    uint32_t page_bytes;
    uint32_t record_page;  /* first page of the record area, where programming again is legal */
    uint32_t write_bytes;  /* unit of data pages */
    uint32_t record_bytes; /* unit of the record area: the smaller of write and mark */
    uint32_t chunk_bytes;
    uint8_t *value;
    uint8_t *weak;
    uint8_t *page_weak; /* per page: weak bits may be there; the fast path of a read */
    uint8_t *wear;      /* per page: enum board_wear */
    uint32_t *erases;   /* per page */
    enum board_weak reads_as;
    uint64_t boot_draw;   /* seed of this boot's reading of the weak bits */
    uint64_t flicker;     /* state of the draw at each read */
    uint8_t wrong_mask;   /* a planned read error: bits turned over, once */
    size_t wrong_at;      /* ... and where */
    size_t stuck_at;      /* bits that read as in stuck_value, always */
    uint8_t stuck_mask;
    uint8_t stuck_value;
    uint8_t cells;        /* enum board_cells of the record area */
    uint32_t old_page;    /* fails as old_wear says after old_end erases; page 0 and no wear: none */
    enum board_wear old_wear;
    uint32_t old_end;
    uint32_t old_erases;  /* so far, at most old_end */
    uint32_t met;         /* reads that met weak bits; whoever looks sets it to 0 */
    uint64_t met_hash;    /* of what they read */
    char rule[192];
};

/* Where a byte is in both planes. */
static inline size_t flash_place(const struct flash *flash, uint32_t page, uint32_t offset)
{
    return (size_t)page * flash->page_bytes + offset;
}

bool flash_init(struct flash *flash, const struct ota_geometry *geometry);
void flash_free(struct flash *flash);
size_t flash_bytes(const struct flash *flash);

/* A boot: how weak bits read from now on. */
void flash_boot(struct flash *flash, enum board_weak reads_as, uint64_t draw);

/* False: a rule would be broken, and `rule` says which. */
bool flash_may_read(struct flash *flash, uint32_t page, uint32_t offset, uint32_t count);
bool flash_may_erase(struct flash *flash, uint32_t page);
bool flash_may_program(struct flash *flash, uint32_t page, uint32_t offset, const uint8_t *from, uint32_t count);

/* Units of `from` that are not all ones: what a program call really writes. */
uint32_t flash_units(const struct flash *flash, uint32_t page, const uint8_t *from, uint32_t count);

void flash_read(struct flash *flash, uint32_t page, uint32_t offset, uint8_t *to, uint32_t count);
/* Bytes that one operation of the chip erases, and programs at most, in that page. */
uint32_t flash_erase_bytes(const struct flash *flash, uint32_t page);
uint32_t flash_program_bytes(const struct flash *flash, uint32_t page, uint32_t count);

/* False: the worn page reports the failure. */
bool flash_do(struct flash *flash, const struct flash_work *work, enum board_cut how);

/* A page as it is, into or from `cells`: values, then weak bits; page_bytes each. */
void flash_get_page(const struct flash *flash, uint32_t page, uint8_t *cells);
void flash_set_page(struct flash *flash, uint32_t page, const uint8_t *cells);

/* Both planes, behind a byte that says whether the second follows; flash_save returns how many bytes count. */
size_t flash_state_bytes(const struct flash *flash);
size_t flash_save(const struct flash *flash, uint8_t *to);
void flash_load(struct flash *flash, const uint8_t *from);

#endif
